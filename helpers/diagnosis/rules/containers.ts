/**
 * What logs, exec and port-forward show to be wrong in the container, or with the runtime that starts it.
 */
import { byExec, guide, overPodNetwork } from "../checks.ts";
import { refusedInPod } from "../../port-forward.ts";
import type { Rule } from "../model.ts";
import { lineOnFirst, shortened, workersOf } from "../reading.ts";
import { nodeOf, onItsNode, told } from "../saying.ts";

/** What a command in a Pod came to: its Node, and the words of the message. */
type Outcome = { host: string; text: string };

/** What was seen in each Pod, not what was expected: `expected [ { pod: 'nginx-1 on node-0', exitCode: 0, ... } ] to deeply equal ...`. */
function outcomesIn(message: string): Outcome[] {
  const [seen = ""] = message.split(" to deeply equal ", 1);
  return seen
    .split("{ pod: ")
    .slice(1)
    .map((text) => ({ text, host: /^['"]\S+ on ([\w.-]+)['"]/.exec(text)?.[1] ?? "" }));
}

const exitsWithZero = (text: string): boolean => /exitCode: \+?0\b/.test(text);

type Loss = { id: string; explains: readonly string[]; isSeen: (text: string) => boolean; what: string };

/**
 * A command runs, and something of it does not go through: a script that stands in runc's place gives it all that. Where runc is there
 * itself, it is the command that has ended so.
 */
const lostByRuntime = ({ id, explains, isSeen, what }: Loss): Rule => ({
  id,
  explains,
  guide: guide.workers,
  find: (evidence, { message }) =>
    lineOnFirst(
      evidence,
      {
        hosts: outcomesIn(message).flatMap(({ host, text }) => (isSeen(text) ? [host] : [])),
        name: "programs",
        matches: (line) => line.endsWith("/runc script"),
      },
      (host, line) => ({
        what: `the runtime on ${host} does not give a command in a container ${what}`,
        seen: `${host}: ${line}, where a program is expected`,
        mend: `ssh ${host} 'head $(command -v runc); journalctl -u containerd -n 50'`,
      }),
    ),
});

/** In the words of Vitest, which writes a zero as +0. */
const losses: readonly Loss[] = [
  { id: "exit-code-lost", explains: ["exec-streams", "exec-tty"], isSeen: exitsWithZero, what: "its exit code" },
  {
    id: "streams-merged",
    explains: ["exec-version", "exec-streams"],
    isSeen: (text) => /stdout: (?!''|"")/.test(text) && /stderr: (''|"")/.test(text),
    what: "what it writes to stderr apart from stdout",
  },
  {
    id: "stdin-lost",
    explains: ["exec-stdin"],
    isSeen: (text) => exitsWithZero(text) && /stdout: (''|"")/.test(text),
    what: "its standard input",
  },
  {
    id: "environment-lost",
    explains: ["exec-reads"],
    isSeen: (text) => exitsWithZero(text) && !text.includes("HOSTNAME="),
    what: "the container's environment",
  },
];

/** A server in a Pod that gives another name than nginx, as the Pod's Node hears it. */
const anotherServer: Rule = {
  id: "another-server-answers",
  explains: ["port-forward", "logs-recorded", "logs-followed", ...overPodNetwork],
  guide: guide.smokeTest,
  find: (evidence) =>
    lineOnFirst(
      evidence,
      { hosts: workersOf(evidence), name: "pods", matches: (line) => / code=\d+ .*server=(?!nginx|%)\S/.test(line) },
      (host, line) => ({
        what: `what answers in the Pods is not nginx but ${/server=(\S+)/.exec(line)?.[1]}`,
        seen: `${host}: curl the Pod: ${line}`,
        mend: "SMOKE_IMAGE with an image of nginx",
      }),
    ),
};

/** A container whose process is no child of containerd's shim. */
const outsideShim: Rule = {
  id: "container-outside-shim",
  explains: ["containers-on-host"],
  saying: /hangs under .*, expected a containerd-shim/,
  guide: guide.workers,
  find: (_evidence, { message }) => {
    const [line = "", host = "", under = ""] =
      /([\w.-]+): process \d+ .* hangs under (.*), expected a containerd-shim[^'"\n]*/.exec(message) ?? [];
    return {
      what: `on ${host} containers run under ${under.split(" (", 1)[0]}, and not under containerd-shim-runc-v2`,
      seen: shortened(line),
      mend: `ssh ${host} 'ls -l $(command -v containerd-shim-runc-v2)'  # install the shim that comes with containerd`,
    };
  },
};

export const containerRules: readonly Rule[] = [
  outsideShim,
  anotherServer,
  told({
    id: "terminal-refused",
    explains: ["exec-tty"],
    saying: /ptmx|\/dev\/(?:pts|tty|console)/,
    guide: guide.workers,
    pattern: /((?:open |stat |verify )?(?:ptmx|\/dev\/(?:ptmx|pts|tty|console)).*)/,
    what: (said) => `the runtime on ${nodeOf(said)} may open no terminal for a container: ${said.found[0]}`,
    mend: (said) => onItsNode(said, "systemctl restart containerd  # a newer runc does not lose the rule"),
  }),
  told({
    id: "command-not-in-image",
    explains: byExec,
    saying: /executable file not found|no such file or directory/,
    guide: guide.smokeTest,
    // Neither the runtime nor its shim is of the image.
    pattern: /exec: \\?"(?!\S*(?:runc|crun|shim))([^"\\]+)\\?": (?:executable file not found|stat [^:]+: no such file)/,
    what: ({ found: [program] }, { given }) => `the image ${given.image} has no ${program} where exec looks for it`,
    mend: () => "SMOKE_IMAGE with an image of nginx that has a shell",
  }),
  ...losses.map(lostByRuntime),
  told({
    id: "not-listening-on-loopback",
    explains: ["port-forward", "logs-recorded", "logs-followed"],
    saying: /connection refused/i,
    guide: guide.smokeTest,
    pattern: refusedInPod,
    what: (said) => `nginx in the Pod on ${nodeOf(said)} does not listen on 127.0.0.1, where port-forward connects to`,
    mend: () => "let nginx listen on all addresses: listen 80;",
  }),
  told({
    id: "log-is-empty",
    explains: ["logs-recorded", "logs-followed"],
    saying: /in the log of container|following the log did not show/,
    guide: guide.smokeTest,
    pattern: /in the log of container.* not within|following the log did not show/,
    what: (said) => `the container of the Pod on ${nodeOf(said)} does not log its requests to stdout`,
    mend: () => "access_log /dev/stdout; in nginx's configuration, or SMOKE_IMAGE with an image that has it so",
  }),
  told({
    id: "log-shows-no-address",
    explains: ["logs-recorded"],
    saying: /from 127\.0\.0\.1, method, path, status/,
    guide: guide.smokeTest,
    pattern: /line: (["'`])(?!127\.0\.0\.1 )(.*?)\1/,
    what: (said) => `the log of the Pod on ${nodeOf(said)} does not show 127.0.0.1, from which a request through a forward comes`,
    mend: () => "access_log /dev/stdout combined; in nginx's configuration, or SMOKE_IMAGE with an image that has it so",
  }),
];

/** What the message alone tells of a server, where nobody could ask it. */
export const serverRules: readonly Rule[] = [
  told({
    id: "another-server-told",
    explains: ["port-forward", ...overPodNetwork],
    saying: /200 from (?!nginx)|<title>(?!Welcome to nginx)|without a title/,
    guide: guide.smokeTest,
    pattern: /['"` ](200 from (?!nginx)[^'"`,;]*)|(<title>(?!Welcome to nginx)[^<]*)|(a page of \d+ bytes without a title)/,
    what: ({ found }) => `what answers is not nginx: ${found.find((text) => text !== undefined)}`,
    mend: () => "SMOKE_IMAGE with an image of nginx",
  }),
];
