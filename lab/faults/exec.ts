/**
 * Commands in a container that lose something on their way through the container runtime of node-1.
 */
import { isSo, programIs, type Armed, type Fault } from "./fault.ts";

const runc = "/usr/local/bin/runc";

/** In the replacement of a sed command, whose delimiter is #. */
const escaped = (text: string): string => text.replaceAll(/[\\&#]/g, "\\$&");

/**
 * runc is called by way of a script, which first changes what it is told. runc reads a container from the config.json in its --bundle, and
 * a command in it from the file that --process names.
 */
function runcBehind(option: "--bundle" | "--process", change: string): Armed {
  const script = [
    `given= option=; for word; do [ "$option" = ${option} ] && given=$word; option=$word; done`,
    `[ -z "$given" ] || ${change}`,
    `exec ${runc}.real "$@"`,
  ].join("\n");
  return {
    ...programIs(["node-1"], runc, script),
    holds: (lab) => isSo(lab, "node-1", `grep -q '^exec ${runc}.real' ${runc}`),
  };
}

/** Commands without a terminal are run by a line of shell, to which they are `"$@"`. */
function commandsRunBy(line: string): Armed {
  const words = JSON.stringify(["sh", "-c", line, "sh"]).slice(1, -1);
  return runcBehind("--process", `grep -q '"terminal":true' "$given" || sed -i 's#"args":\\[#&${escaped(words)},#' "$given"`);
}

export const execs: readonly Fault[] = [
  {
    name: "exec-loses-exit-codes-on-node-1",
    state: "the exit code of a command in a container of node-1 is always 0",
    ...commandsRunBy('"$@"; exit 0'),
    fails: ["exec-streams"],
    inconclusive: [],
    because: /on node-1', exitCode: \+0, stdout: 'out\\n', stderr: 'err\\n'/,
    cause: /^Cause: the runtime on node-1 does not give a command in a container its exit code/,
  },
  {
    name: "exec-loses-stdin-on-node-1",
    state: "a command in a container of node-1 gets nothing on its standard input",
    ...commandsRunBy('"$@" </dev/null'),
    fails: ["exec-stdin"],
    inconclusive: [],
    because: /on node-1', exitCode: \+0, stdout: ''/,
    cause: /^Cause: the runtime on node-1 does not give a command in a container its standard input/,
  },
  {
    name: "exec-loses-environment-on-node-1",
    state: "a command in a container of node-1 gets nothing of the container's environment",
    ...commandsRunBy('exec env -i PATH="$PATH" "$@"'),
    fails: ["exec-reads"],
    inconclusive: [],
    because: /on node-1', exitCode: \+0, stdout: '(?:(?!HOSTNAME)[^'])*', stderr: ''/,
    cause: /^Cause: the runtime on node-1 does not give a command in a container the container's environment/,
  },
  {
    name: "exec-merges-streams-on-node-1",
    state: "what a command in a container of node-1 writes to stderr comes back as its stdout",
    ...commandsRunBy('"$@" 2>&1'),
    fails: ["exec-version", "exec-streams"],
    inconclusive: [],
    because: {
      "exec-version": /on node-1', exitCode: \+0, stdout: 'nginx version: nginx\/[^']*', stderr: ''/,
      "exec-streams": /on node-1', exitCode: 7, stdout: 'out\\nerr\\n', stderr: ''/,
    },
    cause: /^Cause: the runtime on node-1 does not give a command in a container what it writes to stderr apart/,
  },
  {
    name: "terminals-refused-on-node-1",
    state: "no command in a container of node-1 gets a terminal, because /dev/null lies over its /dev/pts/ptmx",
    ...runcBehind("--bundle", `sed -i 's#"maskedPaths":\\[#&"/dev/pts/ptmx",#' "$given/config.json"`),
    fails: ["exec-tty"],
    inconclusive: [],
    because: /could not be run: .* verify ptmx handle/,
    cause: /^Cause: the runtime on node-1 may open no terminal/,
  },
];
