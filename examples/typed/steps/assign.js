// The same contract through a default export: values instead of JSON text, and errors instead of variants.
export default ({ steps: { triage } }) => ({ assignee: `${triage.queue}@example.com` });
