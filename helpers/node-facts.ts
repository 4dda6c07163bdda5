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
  /** Undefined where /etc/cni/net.d holds no valid file. */
  cni: CNIConfiguration | undefined;
  /** By the name of the Pod. */
  containers: ReadonlyMap<string, ContainerFacts>;
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

  const states = understood("containers", parseContainers);
  const containers = [...ids].map(([name, id]): [string, ContainerFacts] => {
    const state = states.get(id);
    return [name, { ...(state !== undefined && { state }), processes: parseProcesses(said(`processes-${id}`).stdout) }];
  });
  // A Pod without eth0 makes `ip` fail, which is no failure of ours to look.
  const interfaces = [...ids].map(
    ([name, id]) => [name, said(`interface-${id}`).exitCode === 0 ? understood(`interface-${id}`, parseLinks)[0] : undefined] as const,
  );
  return {
    nodeName: host.name,
    cni: readCNI(host, said("cni").stdout),
    containers: new Map(containers),
    network: {
      links: understood("links", parseLinks),
      addresses: understood("addresses", parseAddresses),
      interfaces: new Map(interfaces),
    },
  };
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
