/** The manual, command by command. `--help`, man/headgate.1 and docs/cli.md are made from it. */
import type { Page } from './page.ts';

export const PROGRAM_ABOUT = [
  'Ingest server for live media with a limiter at its heart.',
  'headgate serve runs the server; the other commands look into a running one, here or far away, and act on it. They take the address of its admin API with --url or HEADGATE_URL, and a token with HEADGATE_TOKEN or --token.',
] as const;

export const PAGES = {
  serve: {
    summary: 'run the ingest server',
    about: [
      'Listens for publishers and players where the config says, until SIGTERM or SIGINT: then newcomers are refused, live streams are told, and what is left after timeouts.drain is cut. A second signal stops at once.',
      'SIGHUP, or a saved change of the file, reloads the config without dropping a stream; a file with an error changes nothing. SIGHUP also opens the audit log anew.',
    ],
    examples: [
      ['headgate serve', 'with config/headgate.yaml where there is one, else with the defaults'],
      [
        'HEADGATE_LIMITS__STREAM__MAX_BITRATE=4Mbps headgate serve -c /etc/headgate.yaml',
        'one key from the environment',
      ],
    ],
    exit: { 1: 'a port, a certificate or a part of the installation cannot be used' },
    environment: { 'HEADGATE_<SECTION>__<KEY>': 'sets that key of the config, before the file' },
    seeAlso: ['check', 'top', 'config/headgate.yaml has every key with its default'],
  },
  check: {
    summary: 'validate a config: print every error with its place, or the limits in force',
    about: [
      'Errors go to stderr as FILE:LINE:COL path: message, all of them at once. Of a valid config every key is printed with its value and where it came from; warnings go to stderr.',
    ],
    examples: [
      ['headgate check -c new.yaml && mv new.yaml headgate.yaml', 'put a config in force only if it is one'],
    ],
    exit: { 2: 'the config has errors, or the command line has' },
    seeAlso: ['serve', 'config'],
  },
  top: {
    summary: 'live table of streams: usage against limits',
    about: [
      'The first lines are the server: its gate, what it refused, the machine. Then a row for each stream with bars against its limits. Where nobody looks (a pipe, a file) and with --once it prints one frame.',
      'Keys: ? shows them all; / filters, b u f n t d s sort, r turns the order round, q quits.',
    ],
    examples: [
      ['headgate top --url https://ingest.example.net', 'watch a server far away'],
      ['headgate top --json | jq .totals.bitrate_bps', 'a snapshot a second for a program'],
    ],
    seeAlso: ['streams', 'stream', 'resources'],
  },
  streams: {
    summary: 'list the live streams, oldest first',
    about: [
      'On a terminal the table leaves out columns until it fits. In a pipe it has all of them, and a line for each stream.',
    ],
    examples: [
      ['headgate streams --state throttled', 'who presses against a limit'],
      ["headgate streams --json | jq -r '.streams[].path'", 'the paths alone'],
    ],
    seeAlso: ['top', 'stream', 'clients'],
  },
  stream: {
    summary: 'show one live stream: usage, limits and where they come from, media, decisions',
    about: [
      'Which limit holds it, who set that limit, what was decided against it, and what its client has left.',
    ],
    examples: [
      ['headgate stream cam1', 'by name, if only one stream has it'],
      ['headgate stream /live/cam1 --json', 'by path'],
    ],
    seeAlso: ['history', 'limit', 'kick', 'why'],
  },
  clients: {
    summary: 'list the clients: streams, bandwidth and attempts against their limits',
    about: ['ATTEMPTS is how much of publish_rate is used up. In open mode the client is the address.'],
    examples: [
      ['headgate clients --live', 'those who publish now'],
      ['headgate clients alice', 'one'],
    ],
    seeAlso: ['ips', 'streams'],
  },
  ips: {
    summary: 'list the addresses: connections, attempts, and who has to wait',
    about: [
      'Of IPv6 the prefix that limits are held on (limits.ip.ipv6_prefix). ATTEMPTS is how much of connection_rate is used up.',
    ],
    examples: [['headgate ips --cooldown', 'who is kept out, for how long and why']],
    seeAlso: ['clients', 'why'],
  },
  resources: {
    summary: 'show the machine, its watermarks, and the gate',
    about: [
      'From DEGRADE on newcomers are let in by priority, from CLOSE on nobody is. What is not known says why.',
    ],
    examples: [['headgate resources', 'why the gate is closed']],
    seeAlso: ['backpressure', 'top'],
  },
  backpressure: {
    summary: 'show who suffers for the machine, or order shedding',
    about: [
      'Without a mode it shows what holds. auto sheds by how the machine fares. off never sheds. shed also cuts streams below a priority and refuses them, until it is auto again.',
      'It needs an operator; the order is written into the audit trail with your name.',
    ],
    examples: [
      ['headgate backpressure shed --below 50 --for 10m', 'give up the unimportant for ten minutes'],
      ['headgate backpressure auto', 'take the order back'],
    ],
    seeAlso: ['resources', 'events'],
  },
  kick: {
    summary: 'disconnect a publisher',
    about: [
      'Its stream key and address are refused for the cooldown. It needs an operator; the receipt and the audit trail name who did it.',
    ],
    examples: [
      ['headgate kick cam1', "with the stream's own cooldown"],
      ['headgate kick s-7k2f --cooldown 0s --reason "wrong camera"', 'it may come back at once'],
    ],
    seeAlso: ['limit', 'why', 'events'],
  },
  limit: {
    summary: 'override limits of a live stream',
    about: [
      'Changes are LIMIT=VALUE: max_bitrate=4Mbps max_fps=30fps max_packets_per_sec=2000/s grace=10s (or never) on_exceed=observe|throttle|drop|disconnect. unlimited lifts one, LIMIT=config takes an override back.',
      'It needs an operator. Nobody else is touched, and the override ends with the stream at the latest.',
    ],
    examples: [
      ['headgate limit /live/cam1 max_bitrate=4Mbps on_exceed=drop --for 10m', 'for ten minutes'],
      ['headgate limit cam1 --clear', 'as configured again'],
    ],
    seeAlso: ['stream', 'kick'],
  },
  why: {
    summary: 'why a publisher was refused, slowed or cut: the last receipts',
    about: [
      'Give whatever is at hand: the line the encoder shows, its URL, a path, a stream name, a client or an address. Secret stream keys are never kept, so search for the public name.',
    ],
    examples: [
      ['headgate why cam1', 'what was decided against it, newest first'],
      ['headgate why 192.0.2.10 --reason cooldown', 'one address, one reason'],
    ],
    exit: { 1: 'nothing was found, or the server cannot be reached' },
    seeAlso: ['events', 'stream'],
  },
  events: {
    summary: 'audit trail: refusals, cuts and what operators did, oldest first',
    about: [
      'From the memory of a running server, or with --file out of an audit log (audit.file in the config) and the files rotated from it, without any server. --follow goes on with what happens, and outlives a restart of the server.',
      '--since takes a span (90s, 2h, 7d) or a time (2026-11-20T21:40:00Z).',
    ],
    examples: [
      ['headgate events --follow', 'watch'],
      ['headgate events --reason shed --since 1h', 'who was given up in the last hour'],
      ['headgate events --file /var/log/headgate/audit.jsonl --key alice -n 1000', 'from the files'],
    ],
    exit: { 1: 'the server cannot be reached, or the file cannot be read' },
    seeAlso: ['why', 'docs/audit-log.md'],
  },
  history: {
    summary: 'the last five minutes of the server, or of a stream',
    about: [
      'A row for each interval, oldest first; a dash is not known or unlimited. A stream is still known for five minutes after its end, by its id.',
    ],
    examples: [
      ['headgate history', 'the server'],
      ['headgate history cam1 -n 60', 'a stream, two minutes'],
    ],
    seeAlso: ['stream', 'top'],
  },
  config: {
    summary: 'show the config that is in force in a running server, secrets masked',
    about: ['As YAML, with the keys of the config file, or as JSON.'],
    examples: [['headgate config | diff - config/headgate.yaml', 'what is not at its default there']],
    seeAlso: ['check', 'serve'],
  },
  api: {
    summary: 'print what an endpoint of the API answers',
    about: [
      'For whatever has no command of its own: /metrics, /readyz, /api/v1 (who asks, and what there is), /api/v1/openapi.json, pages of lists with ?cursor=. The token and the errors are as everywhere here.',
    ],
    examples: [
      ['headgate api /metrics | promtool check metrics', 'the metrics'],
      ["headgate api '/api/v1/receipts?reason=cooldown&limit=5'", 'with a query'],
    ],
    seeAlso: ['docs/metrics.md'],
  },
  token: {
    summary: 'make a token for the admin API: prints it once, with the config line that holds its hash',
    about: [
      'The config holds only the hash: whoever reads it has no token. A viewer reads; an operator also kicks, limits and sheds.',
    ],
    examples: [['headgate token --role operator --name alice', 'for alice']],
    seeAlso: ['serve', 'SECURITY.md'],
  },
  completion: {
    summary: 'print the script with which a shell completes commands, options and live streams',
    about: [
      'The script asks headgate itself for what may come next, so it never needs to be made again. Streams, clients and addresses are asked from the server of --url or HEADGATE_URL, with a short patience; where it does not answer nothing is offered.',
    ],
    examples: [
      ["echo 'source <(headgate completion bash)' >> ~/.bashrc", 'bash'],
      [
        'headgate completion zsh > ~/.zfunc/_headgate',
        'zsh, with `fpath+=(~/.zfunc)` before compinit in ~/.zshrc',
      ],
      ['headgate completion fish > ~/.config/fish/completions/headgate.fish', 'fish'],
    ],
    environment: { HEADGATE_URL: 'the server that knows what is live', HEADGATE_TOKEN: 'the token for it' },
    seeAlso: [],
  },
} as const satisfies Record<string, Page>;
