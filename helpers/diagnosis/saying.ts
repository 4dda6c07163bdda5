/**
 * What the cluster itself says of the run's Pods: the kubelets by waiting reasons and Events, the controllers by conditions and Events. The
 * check's own message is among it.
 */
import type { Evidence, Failure, Finding, Rule } from "./model.ts";
import { firstLine, nodeOfPod, shortened } from "./reading.ts";

export type Said = {
  /** The whole of what was said. */
  line: string;
  /** ` on node-1`, where it is known whose Pod it is about; else empty. */
  where: string;
  host: string;
  /** What the pattern has captured. */
  found: readonly string[];
};

/** The Node of which it was said, in a sentence. */
export const nodeOf = ({ host }: Said): string => host || "a Node";

/** A command on that Node, as a line to run by hand. */
export const onItsNode = ({ host }: Said, command: string): string => `ssh ${host || "NODE"} ${command}`;

const said = (host: string, line: string) => ({ host, line });

/** The first that matches, of what Pods, Events, Deployment and message say. */
export function saidOf(evidence: Evidence, { message }: Failure, pattern: RegExp): Said | undefined {
  const { pods, events, deployment } = evidence.api;
  const all = [
    // What becomes of a Pod that was deleted is no trouble.
    ...pods
      .filter(({ isTerminating }) => !isTerminating)
      .flatMap(({ name, nodeName, waiting, ended, unscheduled }) =>
        [waiting, ended, unscheduled].map((text) => said(nodeName, `Pod ${name}: ${text}`)),
      ),
    ...events
      .toReversed()
      .map((event) => said(nodeOfPod(evidence, event.object.replace(/^Pod\//, "")), `${event.object}: ${event.reason}, ${event.message}`)),
    ...deployment.map((condition) => said("", `Deployment: ${condition}`)),
    ...message.split("\n").map((line) => said(nodeNamedIn(evidence, line), line)),
  ];
  for (const { host, line } of all) {
    const match = pattern.exec(line);
    const [matched, ...found] = match ?? [];
    if (matched !== undefined) return { line: shortened(line, match?.index), host, where: host === "" ? "" : ` on ${host}`, found };
  }
  return undefined;
}

/** The Node of the Pod that a line names, `smoke-1/nginx-x` or `nginx-x on node-1`. */
const nodeNamedIn = ({ api }: Evidence, line: string): string => api.pods.find(({ name }) => line.includes(name))?.nodeName ?? "";

/** A cause that the message tells by itself. `tell` gets what `saying` has captured. */
export const toldByMessage = (
  { saying, ...rule }: Omit<Rule, "find"> & { saying: RegExp },
  tell: (found: readonly string[], evidence: Evidence) => Omit<Finding, "seen">,
): Rule => ({
  ...rule,
  saying,
  find: (evidence, { message }) => {
    const [line, ...found] = saying.exec(message) ?? [];
    return line === undefined ? undefined : { ...tell(found, evidence), seen: firstLine(line) };
  },
});

type Told = Omit<Rule, "find" | "explains"> & {
  explains: readonly string[];
  /** Every other check, too, whose own message says it. */
  andWhoeverSaysIt?: true;
  /** Whether it was so when the evidence was read, where Events tell of what may have been overcome by then. */
  stillSo?: (evidence: Evidence) => boolean;
  pattern: RegExp;
  what: (said: Said, evidence: Evidence) => string;
  mend: (said: Said, evidence: Evidence) => string;
};

/** A cause that is told in words. */
export const told = ({ pattern, what, mend, explains, andWhoeverSaysIt, stillSo = () => true, ...rule }: Told): Rule => ({
  ...rule,
  ...(andWhoeverSaysIt === undefined && { explains }),
  find: (evidence, failure): Finding | undefined => {
    if (!explains.includes(failure.check) && !pattern.test(failure.message)) return undefined;
    if (!stillSo(evidence)) return undefined;
    const found = saidOf(evidence, failure, pattern);
    return found && { what: what(found, evidence), seen: found.line, mend: mend(found, evidence) };
  },
});
