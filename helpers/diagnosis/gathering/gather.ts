/**
 * Gathers the evidence: of the API and of every host at once, within a time that is the same whatever is broken.
 */
import type { KubernetesClient } from "../../kubernetes.ts";
import { redact } from "../../redaction/redact.ts";
import type { Run } from "../../run.ts";
import { hearAnswers } from "../../several-commands.ts";
import type { Host } from "../../ssh.ts";
import { notAnswered, type APIEvidence, type Evidence, type HostEvidence, type NodeEvidence } from "../model.ts";
import { noAPI, readAPI } from "./api-evidence.ts";
import { functions, prelude, questionnaires, type Known } from "./host-commands.ts";
import { within } from "./within.ts";

/** For all of it, and for the API, of whose answer some of the questions to the hosts are made. */
const limits = { gatheringMs: 10_000, apiMs: 4_000 };

/** Requests end this long before the time for the API is over, so that the answers to the others are kept. */
const marginMs = 500;
/** A kubeconfig may have a program that takes its time to log in. An API that is well needs no more for its answer than this. */
const shortestRequestMs = 200;
/** Of the time that is left. It stands in messages, and so in tenths of a second. */
const requestMs = (leftMs: number): number => Math.max(Math.ceil((leftMs - marginMs) / 100) * 100, shortestRequestMs);

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
  const apiDeadline = Date.now() + apiMs;
  const client = openClient();
  const userName = within(
    apiMs,
    client.then(({ access }) => access.userName),
    () => "",
  );
  const api = within(
    apiMs,
    client.then((opened) => readAPI(opened, run, requestMs(apiDeadline - Date.now()))),
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
    given: given(run, await userName),
    api: await api,
    hosts: Object.fromEntries(hosts),
  };
}

function given({ namespace, settings }: Run, userName: string): Evidence["given"] {
  const { contextName = "", server, workers, image, encryption, podCIDRs, serviceCIDRs, tolerations } = settings;
  const { provider, keyName, configurationPath } = encryption;
  const expected = { provider, keyName, configurationPath };
  return { namespace, contextName, userName, server, workers, image, encryption: expected, podCIDRs, serviceCIDRs, tolerations };
}

type Asking = Pick<Sources, "run" | "openHost"> & { api: Promise<APIEvidence>; deadline: number };

/** Several questionnaires at once, so that what hangs in one does not hold up the others. */
async function askHost(name: string, { run, api, openHost, deadline }: Asking): Promise<HostEvidence> {
  const node =
    run.settings.hosts[name] === undefined && name !== run.settings.server
      ? (await api).nodes.find((each) => each.name === name)
      : undefined;
  const host = openHost(name, node);
  const problem = within<string | undefined>(
    deadline - Date.now(),
    host.then(() => undefined),
    (reason) => reason,
  );
  const asking = questionnaires(run.settings.etcdctlFlags).map(async ({ commands, secondsEach }) => {
    const asked = typeof commands === "function" ? commands(knownOf(run, await api), name) : commands;
    return sectionsOf(host, asked, { secondsEach, deadline });
  });
  const sections = await Promise.all(asking);
  const reason = await problem;
  return reason === undefined ? { sections: Object.assign({}, ...sections) as Record<string, string> } : { unreachable: reason };
}

type Time = { secondsEach: number; deadline: number };

/** What has been heard of each command until the deadline, and of those that have not answered, why. Never throws. */
async function sectionsOf(
  host: Promise<Host>,
  commands: Readonly<Record<string, string>>,
  { secondsEach, deadline }: Time,
): Promise<Record<string, string>> {
  const sections: Record<string, string> = {};
  const leftMs = deadline - Date.now();
  // The host ends the script, too, so that nothing is left running there.
  const patience = { prelude, functions, secondsEach, timeoutMs: leftMs + marginMs };
  const hearing = host.then((opened) =>
    hearAnswers(opened, commands, patience, (name, answer) => {
      sections[name] = answer === undefined ? `${notAnswered} within ${secondsEach} s` : redact(answer.stdout.trim());
    }),
  );
  const reason = await within<string>(
    leftMs,
    hearing.then(() => "it has said nothing"),
    (why) => why,
  );
  const otherwise = reason.startsWith(notAnswered) ? reason : `${notAnswered}: ${reason}`;
  return Object.fromEntries(Object.keys(commands).map((name) => [name, sections[name] ?? otherwise]));
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
  };
}
