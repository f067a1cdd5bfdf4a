import type { Findings } from "./finding.ts";
import type { Outline } from "./outline.ts";

/** Checks that a wait is for an event or for the answer to a link, and that each link has a name of its own. */
export function checkLinks({ steps }: Outline, findings: Findings): void {
  const named = new Map<string, string>();
  for (const { edges } of steps.values()) {
    for (const { async, step } of edges) {
      if (async === undefined) continue;
      const { pointer, link, event, match, answers, identity } = async;
      const refuse = (message: string, place = pointer): void =>
        findings.add({ code: "ERR_FUNCTION_LINK", pointer: place, message });
      if (link === undefined) {
        if (event === undefined) refuse("a wait needs `event`, or `link`");
        if (answers) refuse("`answers` are given by a `link`, and there is none", `${pointer}/answers`);
        continue;
      }
      for (const other of [event, match]) {
        if (other !== undefined)
          refuse("a wait with `link` ends by its answer, and by no event", other.pointer);
      }
      const own = `${step?.text} ${identity}`;
      const known = named.get(link.text) ?? own;
      named.set(link.text, known);
      if (known !== own) {
        const message = `the link ${link.text} is that of another wait: from another step, or with other \`ttl\` or \`answers\``;
        refuse(message, link.pointer);
      }
    }
  }
}
