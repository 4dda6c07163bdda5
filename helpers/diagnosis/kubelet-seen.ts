/**
 * What kube-apiserver's host sees of the kubelets when it asks them as kube-apiserver does.
 */
import { throughKubelet } from "./checks.ts";
import type { Evidence, Finding, Rule } from "./model.ts";
import { addressOfNode, flagOf, hostsOf, linesOf, shortened } from "./reading.ts";

/** The line of a message that says it, else its first. */
export function lineWith(message: string, pattern: RegExp): string {
  const line = message.split("\n").find((candidate) => pattern.test(candidate)) ?? message;
  return shortened(line, pattern.exec(line)?.index);
}

/** What a host that runs kube-apiserver gets from the kubelet of a Node. */
type Seen = {
  host: string;
  node: string;
  /** Whether kube-apiserver there asks the kubelets by the names of their Nodes. */
  byName: boolean;
  /** By what they are asked: the name, or the address. */
  at: string;
  exit: string;
  /** Empty where nothing was reached. */
  ip: string;
  line: string;
};

/**
 * Of the types that kube-apiserver prefers it takes the first of which a Node has an address. Every Node has a Hostname and an InternalIP;
 * those that one builds by hand have no other. https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver
 */
const asksByName = (evidence: Evidence, host: string): boolean =>
  (flagOf(evidence, host, "kube-apiserver", "kubelet-preferred-address-types") ?? "Hostname")
    .split(",")
    .find((type) => type === "Hostname" || type === "InternalIP") !== "InternalIP";

/** What every host that runs kube-apiserver gets from every kubelet. */
export function seenOf(evidence: Evidence): Seen[] {
  return hostsOf(evidence).flatMap((host) =>
    linesOf(evidence, host, "kubelets").flatMap((line) => {
      const [, node, exit] = /^(\S+) exit=(\d+)/.exec(line) ?? [];
      if (node === undefined || exit === undefined) return [];
      // What curl says at length of certificates stands before what it has been told to write.
      const words = line.replace(/ More details here: .*mentioned above\./, "");
      const byName = asksByName(evidence, host);
      const at = byName ? node : addressOfNode(evidence, node) || node;
      const ip = / ip=(\S*)/.exec(line)?.[1] ?? "";
      return [{ host, node, byName, at, exit, ip, line: shortened(`${host}: curl https://${at}:10250: ${words}`) }];
    }),
  );
}

/** A cause that curl on `server` meets as kube-apiserver does, or that the message tells. */
export const seenByAsking = (
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
