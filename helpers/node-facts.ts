/**
 * Everything that is read on a Node about its Pods, in one SSH round trip.
 */
import { cniConfigurationOf, cniFilesCommand, parseCNIFiles, type CNIConfiguration } from "./cni-configuration.ts";
import { ConformanceError, InconclusiveError, reasonOf } from "./errors.ts";
import { collectAnswers, type Answer } from "./several-commands.ts";
import { addressesCommand, interfaceCommand, linksCommand, parseAddresses, parseLinks, type NetworkFacts } from "./node-network.ts";
import {
  bareID,
  containersCommand,
  exitWithoutPID,
  parseContainers,
  parseProcesses,
  processesCommand,
  runtimePrelude,
  type ContainerFacts,
  type NodePod,
} from "./node-processes.ts";
import type { Host } from "./ssh.ts";

export type NodeFacts = {
  nodeName: string;
  /** Undefined where its folder holds no valid file. */
  cni: CNIConfiguration | undefined;
  /** By the name of the Pod. Throws InconclusiveError where the runtime could not be asked: the rest was read without it. */
  containers: () => ReadonlyMap<string, ContainerFacts>;
  network: NetworkFacts;
};

/**
 * Reads a Node's CNI file, the containers and processes of its Pods, and its network.
 * @param pods Pods of this Node
 * @throws InconclusiveError when the Node cannot be asked, or answers what cannot be understood
 * @throws ConformanceError when its CNI file is filled in wrongly
 */
export async function readNodeFacts(host: Host, pods: readonly NodePod[]): Promise<NodeFacts> {
  const ids = new Map(pods.map((pod) => [pod.name, bareID(pod)]));
  const each = (of: string, command: (id: string) => string) =>
    Object.fromEntries([...ids.values()].map((id) => [`${of}-${id}`, command(id)]));
  const commands: Record<string, string> = {
    cni: cniFilesCommand,
    containers: containersCommand,
    links: linksCommand,
    addresses: addressesCommand,
    ...each("processes", processesCommand),
    ...each("interface", interfaceCommand),
  };
  const answers = await collectAnswers(host, commands, runtimePrelude([...ids.values()]));
  const said = (name: string) => answers[name] as Answer;
  const understood = <T>(name: string, parse: (text: string) => T) => understand(host, commands[name] as string, said(name), parse);

  const containers = (): ReadonlyMap<string, ContainerFacts> => {
    const states = understood("containers", parseContainers);
    const factsOf = (id: string) => containerFacts(states.get(id), said(`processes-${id}`));
    return new Map([...ids].map(([name, id]) => [name, factsOf(id)]));
  };
  const interfaces = [...ids].map(([name, id]) => {
    const told = said(`interface-${id}`);
    return [name, told.exitCode === 0 ? understood(`interface-${id}`, parseLinks)[0] : withoutInterface(told)] as const;
  });
  return {
    nodeName: host.name,
    cni: readCNI(host, said("cni").stdout),
    containers,
    network: {
      links: understood("links", parseLinks),
      addresses: understood("addresses", parseAddresses),
      interfaces: new Map(interfaces),
    },
  };
}

function containerFacts(state: string | undefined, told: Answer): ContainerFacts {
  const processes = told.exitCode === exitWithoutPID ? { processes: [], noPID: wordsOf(told) } : { processes: parseProcesses(told.stdout) };
  return { ...(state !== undefined && { state }), ...processes };
}

/** The last line of what a command said: tools warn first, and then tell what they failed of. */
const wordsOf = ({ stdout }: Answer): string => stdout.trim().split("\n").at(-1) || "it said nothing";

/** That a Pod has no eth0 is told by `ip` alone; whatever else fails, we could not look. */
function withoutInterface(told: Answer): { unseen: string } | undefined {
  if (/Device "eth0" does not exist/.test(told.stdout)) return undefined;
  const what =
    told.exitCode === exitWithoutPID ? "the runtime told no PID of its container" : `nsenter exited ${told.exitCode}, expected 0`;
  return { unseen: `${what}: ${wordsOf(told)}` };
}

function understand<T>(host: Host, command: string, { exitCode, stdout }: Answer, parse: (text: string) => T): T {
  const problem = (why: string) => {
    const [what, remedy] =
      command === containersCommand
        ? ["neither crictl nor ctr could list the containers", "Is containerd running, and is one of them installed?"]
        : [`"${command}" could not be read`, "Is iproute2 installed, in a version that knows -j?"];
    const byHand = command === containersCommand ? ["crictl ps -a", "ctr -n k8s.io tasks ls"] : [command];
    return new InconclusiveError(`${host.name}: ${what}: ${why}. ${remedy}`, { byHand: byHand.map((line) => host.byHand(line)) });
  };
  if (exitCode !== 0) throw problem(`it exited ${exitCode}, expected 0`);
  try {
    return parse(stdout);
  } catch (error) {
    throw problem(reasonOf(error));
  }
}

function readCNI(host: Host, stdout: string): CNIConfiguration | undefined {
  try {
    return cniConfigurationOf(parseCNIFiles(stdout));
  } catch (error) {
    throw error instanceof ConformanceError ? new ConformanceError(`${host.name}: ${error.message}`, { cause: error }) : error;
  }
}
