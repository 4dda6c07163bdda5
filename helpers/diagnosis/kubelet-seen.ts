/**
 * What kube-apiserver's host sees of the kubelets when it asks them as kube-apiserver does.
 */
import { throughKubelet } from "./checks.ts";
import type { Evidence, Finding, Rule } from "./model.ts";
import { hostsOf, linesOf, shortened } from "./reading.ts";

/** The line of a message that says it, else its first. */
export function lineWith(message: string, pattern: RegExp): string {
  const line = message.split("\n").find((candidate) => pattern.test(candidate)) ?? message;
  return shortened(line, pattern.exec(line)?.index);
}

/** What a host that runs kube-apiserver gets from the kubelet of a Node, whom it calls by its name. */
type Seen = { host: string; node: string; exit: string; ip: string; line: string };

function seenOf(evidence: Evidence): Seen[] {
  return hostsOf(evidence).flatMap((host) =>
    linesOf(evidence, host, "kubelets").flatMap((line) => {
      const [, node, exit] = /^(\S+) exit=(\d+)/.exec(line) ?? [];
      if (node === undefined || exit === undefined) return [];
      // What curl says at length of certificates stands before what it has been told to write.
      const words = line.replace(/ More details here: .*mentioned above\./, "");
      return [
        { host, node, exit, ip: / ip=(\S*)/.exec(line)?.[1] ?? "", line: shortened(`${host}: curl https://${node}:10250: ${words}`) },
      ];
    }),
  );
}

/** A cause that curl on `server` meets as kube-apiserver does, or that the message tells. */
export const met = (
  id: string,
  chapter: string,
  look: (seen: Seen, evidence: Evidence) => Omit<Finding, "seen"> | undefined,
  saying?: RegExp,
): Rule => ({
  id,
  explains: throughKubelet,
  guide: chapter,
  ...(saying && { saying }),
  find: (evidence) => {
    for (const seen of seenOf(evidence)) {
      const finding = look(seen, evidence);
      if (finding !== undefined) return { ...finding, seen: seen.line };
    }
    return undefined;
  },
});
