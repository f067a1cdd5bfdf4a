/** A trigger as the API and documents have it. */
export interface TriggerSketch {
  readonly event?: string;
  readonly expression?: string;
  readonly cron?: string;
  readonly timezone?: string;
}

/** A trigger in a few words: the event and its condition, or the schedule. */
export function triggerText({ event, expression, cron, timezone }: TriggerSketch): string {
  if (cron !== undefined) return `cron ${cron}${timezone === undefined ? "" : ` ${timezone}`}`;
  return expression === undefined ? (event ?? "") : `${event ?? ""} if ${expression}`;
}
