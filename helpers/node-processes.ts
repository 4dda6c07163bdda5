/**
 * What a Node's container runtime and process table say of a Pod's container: the chapter's `crictl ps` and `pstree -ap`.
 */
import { z } from "zod";
import { InconclusiveError } from "./errors.ts";

export type Process = { pid: number; name: string };

export type ContainerFacts = {
  /** As the runtime has it, in lower case: `running`, `exited`, `stopped`. Undefined where it knows no such container. */
  state?: string;
  /** The container's own process, its parent, and so on up to process 1. Empty where none runs. */
  processes: Process[];
  /** What the runtime said when it was asked for the PID, and told none; then nothing is known of the processes. */
  noPID?: string;
};

/** What identifies a Pod's container, and the Pod in messages. */
export type NodePod = {
  name: string;
  /** `status.containerStatuses[].containerID`, such as `containerd://0e72…`. */
  containerID: string;
};

/** A container ID without its runtime. Only hexadecimal digits are let through, since it becomes part of a shell script. */
export function bareID({ name, containerID }: NodePod): string {
  const [, id] = /^[a-z0-9-]+:\/\/([0-9a-f]+)$/.exec(containerID) ?? [];
  if (id === undefined)
    throw new InconclusiveError(`Pod ${name} has the containerID "${containerID}", expected something like containerd://0e724a9a.`);
  return id;
}

/** The runtime that a Pod's container is of: `containerd`, `cri-o`, `docker`. */
const runtimeOf = ({ containerID }: NodePod): string => containerID.split("://")[0] ?? "";

/** Whether a runtime is one of which we know where it listens, and that it tells the PIDs of its containers: cri-dockerd tells none. */
const isKnown = (runtime: string): boolean => runtime === "containerd" || runtime === "cri-o";

/** Why the process tree of a container says nothing on this Node, or undefined when it does. */
export function shimNotApplicable(nodeName: string, pod: NodePod): string | undefined {
  const runtime = runtimeOf(pod);
  if (runtime === "containerd") return undefined;
  return `${nodeName}: its container runtime is ${runtime}, whose containers do not hang under a containerd-shim`;
}

/** Where runtimes listen for a kubelet: on their own, of k3s, Docker, k0s and MicroK8s. */
const sockets = [
  ...["/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/k3s/containerd/containerd.sock", "/run/cri-dockerd.sock"],
  ...["/run/k0s/containerd.sock", "/var/snap/microk8s/common/run/containerd.sock"],
];

/**
 * The runtime, in shell: of those that are there, the one that knows a container of ours, as Docker may have one of its own beside the
 * kubelet's. `containers` holds what it lists, and `listed` is not 0 where none knows ours and one could not be asked. It is asked for the
 * PID of each container once: on a small host a crictl takes longer than all else that is looked at, and more than the 2 s it gives itself.
 * `pid_of ID` prints what it told, 0 where none runs, or nothing; `said_of ID` prints all that it said.
 * @param ids of the containers that will be asked about
 */
export const runtimePrelude = (ids: readonly string[]): string => `
cri() { crictl --runtime-endpoint "unix://$socket" --timeout 10s "$@"; }
sockets=$(ls -d ${sockets.join(" ")} 2>/dev/null)
listed=0
for socket in \${sockets:-${sockets[0]}}; do
  containers=$(cri ps -a -o json 2>/dev/null) || containers=$(ctr --address "$socket" -n k8s.io tasks ls 2>/dev/null) || listed=$?
  printf '%s\\n' "$containers" | grep -qE '${ids.join("|")}' && listed=0 && break
done
case $containers in
  "{"*) pids=$(for id in ${ids.join(" ")}; do
    printf '%s\\n' "$(cri inspect --output go-template --template '{{.info.pid}}' "$id" 2>&1)" | sed "s/^/$id /"; done) ;;
  *) pids=$(printf '%s\\n' "$containers" | awk '$3 == "RUNNING" { print $1, $2 }') ;;
esac
pid_of() { printf '%s\\n' "$pids" | awk -v id="$1" '$1 == id && NF == 2 && $2 ~ /^[0-9]+$/ { print $2; exit }'; }
said_of() { printf '%s\\n' "$pids" | sed -n "s/^$1 //p"; }`;

/** What a command for a container exits with where the runtime told no PID; it prints what the runtime said then. */
export const exitWithoutPID = 3;

/** Of a command for a container, what comes first: sets `pid`. */
export const pidFirst = (id: string): string => `pid=$(pid_of ${id}); [ -n "$pid" ] || { said_of ${id}; exit ${exitWithoutPID}; }`;

export const containersCommand = `printf '%s\\n' "$containers"; exit "$listed"`;

/** Prints process and name, from a container's own process up to process 1. */
export function processesCommand(id: string): string {
  return `${pidFirst(id)}
  while [ "\${pid:-0}" -gt 0 ] && [ -r "/proc/$pid/status" ]; do
    printf '%s %s\\n' "$pid" "$(cat "/proc/$pid/comm")"
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
  done`;
}

const crictlList = z.object({ containers: z.array(z.object({ id: z.string(), state: z.string() })) });

/**
 * The states of all containers by their IDs, from `crictl ps -a -o json` or `ctr tasks ls`.
 * @throws SyntaxError when it is neither
 */
export function parseContainers(text: string): Map<string, string> {
  if (text.startsWith("{")) {
    const { containers } = crictlList.parse(JSON.parse(text));
    return new Map(containers.map(({ id, state }) => [id, state.replace("CONTAINER_", "").toLowerCase()]));
  }
  const [heading = "", ...lines] = text.trim().split("\n");
  if (!/^TASK\s+PID\s+STATUS/.test(heading)) throw new SyntaxError(`expected a list of containers, got "${heading}"`);
  return new Map(
    lines.map((line) => {
      const [id = "", , state = ""] = line.trim().split(/\s+/);
      return [id, state.toLowerCase()];
    }),
  );
}

/** Reads what `processesCommand` has printed. */
export function parseProcesses(text: string): Process[] {
  return [...text.matchAll(/^(\d+) (.+)$/gm)].map(([, pid, name]) => ({ pid: Number(pid), name: name as string }));
}

/**
 * A sentence for a container that does not run, in the runtime's own opinion.
 * @throws InconclusiveError when its runtime was not found, or tells nobody which process it is
 */
export function containerProblems(nodeName: string, pod: NodePod, { state, processes, noPID }: ContainerFacts): string[] {
  const container = `container ${bareID(pod).slice(0, 12)} of Pod ${pod.name}`;
  const runtime = runtimeOf(pod);
  if (state === undefined && !isKnown(runtime)) {
    const where = sockets.join(", ");
    throw new InconclusiveError(`${nodeName}: ${container} is one of ${runtime}, and no runtime knows it that listens on one of ${where}.`);
  }
  if (state === undefined) return [`${nodeName}: the container runtime knows no ${container}, expected it to run`];
  if (state !== "running") return [`${nodeName}: ${container} is ${state}, expected it to be running`];
  if (noPID !== undefined && isKnown(runtime)) {
    const asked = `crictl inspect ${bareID(pod).slice(0, 12)}`;
    throw new InconclusiveError(`${nodeName}: ${container} is running, but "${asked}" told no PID: ${noPID}. Does it answer by hand?`);
  }
  return processes.length > 0 || noPID !== undefined ? [] : [`${nodeName}: ${container} is running, but has no process`];
}

/** A sentence for a container whose process does not descend from a containerd-shim. The kernel keeps 15 characters of a process's name. */
export function shimProblems(nodeName: string, { name }: NodePod, { processes }: ContainerFacts): string[] {
  const [own, ...ancestors] = processes;
  if (own === undefined || ancestors.some((process) => process.name.startsWith("containerd-shim"))) return [];
  const chain = ancestors.map((process) => `${process.name} (${process.pid})`).join(", then ") || "nothing";
  return [`${nodeName}: process ${own.pid} (${own.name}) of Pod ${name} hangs under ${chain}, expected a containerd-shim above it`];
}
