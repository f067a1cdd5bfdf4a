/** The first step of a new project, in TypeScript. */
export const greetTypescript = `// What a step gets: the event, the outputs of the steps before, and who runs this attempt.
interface Input {
  event: { id: string; name: string; data: { name?: string }; ts: number };
  steps: Record<string, unknown>;
  ctx: { runId: string; stepId: string; attempt: number; deadline: number; idempotencyKey: string };
}

// What it returns is its output. What it throws is tried again, unless the error has \`fatal: true\`.
export default async ({ event, ctx }: Input) => {
  const { name = "world" } = event.data;
  console.log(\`greeting \${name}, attempt \${ctx.attempt}\`);
  return { text: \`Hello, \${name}!\` };
};
`;

/** The same in JavaScript. */
export const greetJavascript = `// A step gets the event, the outputs of the steps before, and who runs this attempt. What it returns is its output.
// What it throws is tried again, unless the error has \`fatal: true\`.
export default async ({ event, ctx }) => {
  const { name = "world" } = event.data;
  console.log(\`greeting \${name}, attempt \${ctx.attempt}\`);
  return { text: \`Hello, \${name}!\` };
};
`;

/** The second step, which reads what the first one put out. */
export const countTypescript = `interface Input {
  steps: { greet: { text: string } };
}

export default ({ steps }: Input) => ({ letters: steps.greet.text.length });
`;

/** The same in JavaScript. */
export const countJavascript = `export default ({ steps }) => ({ letters: steps.greet.text.length });
`;
