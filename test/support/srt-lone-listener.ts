import { once } from 'node:events';
import { SrtRig } from '../native/srt-rig.ts';

/**
 * A process, or a worker, that is nothing but a native SRT listener. It prints
 * its port, then `flowing` when a publisher's payload comes, and then does what
 * it was told to.
 */
const how = process.argv[2];
const rig = new SrtRig();
if (how === 'takes all') {
  rig.onBatch = (events) => {
    rig.events.length = 0;
    for (const event of events) if (event.type === 'accepted') rig.attach(event.id, event.id % 64, false);
  };
}
process.stdout.write(`${rig.port}\n`);
if (how === 'takes all') await once(process, 'SIGTERM');
const { id } = await rig.event('accepted');
rig.attach(id, 0);
await rig.flows(0, 50_000);
// Whoever reads this word may ask it to end at once.
if (how === 'is asked to end') process.once('SIGTERM', () => process.exit(0));
process.stdout.write('flowing\n');
if (how === 'exits') setTimeout(() => process.exit(0), 100);
else if (how === 'ends by itself') await rig.native.stop();
