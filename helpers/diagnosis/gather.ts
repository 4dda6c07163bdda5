/**
 * Gathers the evidence: of the API and of every host at once, within a time that is the same whatever is broken.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../errors.ts";
import { collectEvidence } from "../evidence.ts";
import type { KubernetesClient } from "../kubernetes.ts";
import type { Run } from "../run.ts";
import type { Host } from "../ssh.ts";
import { noAPI, readAPI } from "./api-evidence.ts";
import { furtherCommands, prelude, reachingCommands, standingCommands, type Known } from "./host-commands.ts";
import type { APIEvidence, Evidence, HostEvidence, NodeEvidence } from "./model.ts";
import { redact } from "./redact.ts";

/** For all of it, and for the API, of whose answer the second half of the questions to the hosts is made. */
const limits = { gatheringMs: 10_000, apiMs: 4_000 };

type Sources = {
  run: Run;
  /** @throws when there is no client to be had */
  openClient: () => Promise<KubernetesClient>;
  /** Opens SSH to a host. What the API says of it is known only where the API has answered. */
  openHost: (name: string, node: NodeEvidence | undefined) => Promise<Host>;
};

/** What can be had in 10 s; what has not answered by then is noted as such. Never throws. */
export async function gather({ run, openClient, openHost }: Sources, { gatheringMs, apiMs } = limits): Promise<Evidence> {
  const { settings } = run;
  const deadline = Date.now() + gatheringMs;
  const client = openClient();
  const api = within(
    apiMs,
    client.then((opened) => readAPI(opened, run, apiMs - 500)),
    (reason) => noAPI("", reason),
  );
  const ask = async (name: string): Promise<readonly [string, HostEvidence]> => [
    name,
    await askHost(name, { run, api, openHost, deadline }),
  ];
  const named = [settings.server, ...Object.keys(settings.hosts), ...settings.workers];
  const first = [...new Set(named)];
  const early = first.map(ask);
  // Whoever has set no hosts has them named by the Nodes.
  const late = (await api).nodes.map(({ name }) => name).filter((name) => !first.includes(name));
  const hosts = await Promise.all([...early, ...late.map(ask)]);
  return {
    given: given(run, (await client.catch(() => undefined))?.access.userName ?? ""),
    api: await api,
    hosts: Object.fromEntries(hosts),
  };
}

function given({ namespace, settings }: Run, userName: string): Evidence["given"] {
  const { contextName = "", server, workers, image, encryption, podCIDRs, serviceCIDRs } = settings;
  const { provider, keyName, configurationPath } = encryption;
  const expected = { provider, keyName, configurationPath };
  return { namespace, contextName, userName, server, workers, image, encryption: expected, podCIDRs, serviceCIDRs };
}

type Asking = Pick<Sources, "run" | "openHost"> & { api: Promise<APIEvidence>; deadline: number };

/** Several questionnaires, so that what hangs in one costs nothing of the others. */
async function askHost(name: string, { run, api, openHost, deadline }: Asking): Promise<HostEvidence> {
  const known =
    run.settings.hosts[name] === undefined && name !== run.settings.server
      ? (await api).nodes.find((node) => node.name === name)
      : undefined;
  const host = openHost(name, known);
  const leftMs = deadline - Date.now();
  const part = (commands: () => Promise<Record<string, string>>) =>
    within<Record<string, string>>(leftMs, sectionsOf(host, commands), (reason) => ({ "not answered": reason }));
  const [problem, standing, further, reaching] = await Promise.all([
    within<string | undefined>(
      leftMs,
      host.then(() => undefined),
      (reason) => reason,
    ),
    part(async () => standingCommands),
    part(async () => furtherCommands),
    part(async () => reachingCommands(knownOf(run, await api), name)),
  ]);
  return problem === undefined ? { sections: { ...standing, ...further, ...reaching } } : { unreachable: problem };
}

async function sectionsOf(host: Promise<Host>, commands: () => Promise<Record<string, string>>): Promise<Record<string, string>> {
  const found = await collectEvidence(await host, await commands(), prelude);
  return Object.fromEntries(Object.entries(found).map(([name, { stdout }]) => [name, redact(stdout.trim())]));
}

function knownOf({ settings }: Run, { nodes, pods, service }: APIEvidence): Known {
  const places =
    nodes.length > 0
      ? nodes.map(({ name, internalIP }) => ({ name, address: internalIP }))
      : settings.workers.map((name) => ({ name, address: name }));
  // One that is on its way out owes nobody an answer.
  const answering = pods.filter(({ podIP, isTerminating }) => podIP !== "" && !isTerminating);
  return {
    nodes: places,
    pods: answering.map(({ name, podIP, nodeName }) => ({ name, address: podIP, nodeName })),
    podPort: settings.imagePort,
    nodePort: service?.nodePort,
    etcdctlFlags: settings.etcdctlFlags,
  };
}

/** What comes in time; else what is made of the reason why not. */
async function within<Value>(ms: number, work: Promise<Value>, otherwise: (reason: string) => Value): Promise<Value> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal, ref: false }).then(() => `not answered within ${Math.ceil(ms / 1000)} s`);
  try {
    return await Promise.race([work.catch((error: unknown) => otherwise(redact(reasonOf(error)))), late.then(otherwise)]);
  } finally {
    late.catch(() => undefined);
    over.abort();
  }
}
