import { CpuSource } from './cpu.ts';
import { DescriptorSource } from './descriptors.ts';
import { EventLoopSource } from './event-loop.ts';
import { MemorySource } from './memory.ts';
import { NetworkSource } from './network.ts';
import type { Source } from './sampler.ts';

/**
 * Everything that can be sampled on this machine. `nativeBytes` tells what the
 * addons hold: GOPs, half-sent messages, receive buffers.
 */
export function machineSources(nativeBytes: () => number): Source[] {
  const everywhere = [new CpuSource(), new MemorySource(nativeBytes), new EventLoopSource()];
  return process.platform === 'linux'
    ? [...everywhere, new NetworkSource(), new DescriptorSource()]
    : everywhere;
}
