/** Whether build/dashboard was made from what is here now. */
export function dashboardIsCurrent(): boolean;

/** Builds into `folder`, build/dashboard when absent, which holds nothing else afterwards. */
export function buildDashboard(folder?: string): Promise<void>;
