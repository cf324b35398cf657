/**
 * For every alert: what makes it fire, and what looks alike and must not. Values are in promtool's notation, one a
 * minute: `0+60x20` counts up by 60 for 20 minutes, `_x20` is no sample.
 */
export interface AlertCase {
  readonly alert: string;
  /** labels that the alert then has, job, instance and severity aside */
  readonly labels?: Readonly<Record<string, string>>;
  /** what its texts say for the value, as `{{ $value ... }}` writes it */
  readonly value?: string;
  readonly fires: Readonly<Record<string, string>>;
  readonly quiet: readonly Readonly<Record<string, string>>[];
}

export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'HeadgateDown',
    fires: { up: '1x5 0x25' },
    // A restart takes a scrape or two; other jobs are not ours.
    quiet: [{ up: '1x28 0 1' }],
  },
  {
    alert: 'HeadgateGateClosed',
    fires: { headgate_gate_state: '0x5 2x25' },
    quiet: [{ headgate_gate_state: '1x30' }, { headgate_gate_state: '0x28 2 0' }],
  },
  {
    alert: 'HeadgateResourcePressureHigh',
    labels: { resource: 'memory' },
    value: '85%',
    fires: { 'headgate_resource_pressure{resource="memory"}': '0.85x30' },
    quiet: [{ 'headgate_resource_pressure{resource="memory"}': '0x27 0.9x3' }],
  },
  {
    alert: 'HeadgateResourceUnknown',
    labels: { resource: 'cpu' },
    fires: {
      'headgate_resource_state{resource="cpu"}': '1x30',
      'headgate_resource_usage{resource="heap"}': '0.4x30',
    },
    // Elevated and known; off in the config.
    quiet: [
      {
        'headgate_resource_state{resource="cpu"}': '1x30',
        'headgate_resource_usage{resource="cpu"}': '0.85x30',
      },
      { 'headgate_resource_state{resource="cpu"}': '0x30' },
    ],
  },
  {
    alert: 'HeadgateControlLoopSlow',
    value: '120ms',
    fires: { headgate_control_round_longest_seconds: '0.12x30' },
    quiet: [{ headgate_control_round_longest_seconds: '0.004x28 0.3x2' }],
  },
  {
    alert: 'HeadgateAdaptiveFactorLow',
    value: '41%',
    fires: { headgate_adaptive_factor: '0.41x30' },
    quiet: [{ headgate_adaptive_factor: '0.8x30' }, { headgate_adaptive_factor: '1x25 0.3x5' }],
  },
  {
    alert: 'HeadgateConfigReloadFailed',
    fires: { headgate_config_last_reload_successful: '1x10 0x20' },
    quiet: [{ headgate_config_last_reload_successful: '1x10 0x10 1x10' }],
  },
  {
    alert: 'HeadgateStreamAtLimit',
    labels: { scope: 'stream', limit: 'max_bitrate' },
    value: '100%',
    fires: { 'headgate_limit_utilization{scope="stream",limit="max_bitrate"}': '1x30' },
    quiet: [
      { 'headgate_limit_utilization{scope="stream",limit="max_bitrate"}': '0.9x30' },
      { 'headgate_limit_utilization{scope="global",limit="max_streams"}': '0.89x30' },
    ],
  },
  {
    alert: 'HeadgateLimitNear',
    labels: { scope: 'global', limit: 'max_connections' },
    value: '95%',
    fires: { 'headgate_limit_utilization{scope="global",limit="max_connections"}': '0.95x30' },
    quiet: [
      { 'headgate_limit_utilization{scope="stream",limit="max_fps"}': '0.95x30' },
      { 'headgate_limit_utilization{scope="client",limit="max_streams"}': '1x30' },
    ],
  },
  {
    alert: 'HeadgateDenialsStorm',
    labels: { reason: 'auth_failed' },
    value: '2',
    fires: { 'headgate_denied_total{reason="auth_failed"}': '0+120x30' },
    // One encoder that retries every five seconds; a burst that is over.
    quiet: [
      { 'headgate_denied_total{reason="cooldown"}': '0+12x30' },
      { 'headgate_denied_total{reason="ip_connections"}': '0x20 600x10' },
    ],
  },
  {
    alert: 'HeadgateStreamsCut',
    labels: { reason: 'stream_bitrate' },
    value: '10',
    fires: { 'headgate_disconnects_total{reason="stream_bitrate"}': '0+1x30' },
    quiet: [
      { 'headgate_disconnects_total{reason="kicked"}': '0+5x30' },
      { 'headgate_disconnects_total{reason="stream_fps"}': '0x25 1x5' },
    ],
  },
  {
    alert: 'HeadgateSrtLoss',
    value: '5%',
    fires: {
      'headgate_srt_packets_total{result="received"}': '0+2000x30',
      'headgate_srt_packets_total{result="dropped"}': '0+100x30',
    },
    // Lost and sent again in time; nobody sends.
    quiet: [
      {
        'headgate_srt_packets_total{result="received"}': '0+2000x30',
        'headgate_srt_packets_total{result="lost"}': '0+300x30',
        'headgate_srt_packets_total{result="dropped"}': '0+1x30',
      },
      {
        'headgate_srt_packets_total{result="received"}': '0x30',
        'headgate_srt_packets_total{result="dropped"}': '0x30',
      },
    ],
  },
  {
    alert: 'HeadgateShedding',
    labels: { state: 'lowered' },
    value: '3',
    fires: { 'headgate_shed_cohorts{state="lowered"}': '0x5 3x25' },
    quiet: [{ 'headgate_shed_cohorts{state="lowered"}': '0x30' }],
  },
  {
    alert: 'HeadgateCohortsCut',
    labels: { state: 'cut' },
    value: '1',
    fires: { 'headgate_shed_cohorts{state="cut"}': '0x28 1' },
    quiet: [{ 'headgate_shed_cohorts{state="cut"}': '0x30' }],
  },
  {
    alert: 'HeadgateEventsDropped',
    fires: { headgate_events_dropped_total: '0+60x30', headgate_srt_events_dropped_total: '0x30' },
    quiet: [{ headgate_events_dropped_total: '0x20 5x10', headgate_srt_events_dropped_total: '0x30' }],
  },
  {
    alert: 'HeadgateLogLinesDropped',
    fires: { headgate_log_lines_dropped_total: '0+10x30' },
    quiet: [{ headgate_log_lines_dropped_total: '40x30' }],
  },
  {
    alert: 'HeadgateAuditLogFailing',
    fires: { headgate_audit_log_failing: '0x5 1x25' },
    quiet: [{ headgate_audit_log_failing: '0x20 1 0x9' }],
  },
];
