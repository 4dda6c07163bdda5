/**
 * The beginning of a run in the cluster: its namespace, its Lease, and what its checks need, created without waiting for any of it to
 * become ready.
 */
import type { V1Namespace } from "@kubernetes/client-node";
import { InconclusiveError, SettingsError, verdictOf, type Failure } from "./errors.ts";
import { ApiRefusal, isNotFound, type KubernetesClient } from "./kubernetes.ts";
import { holdLease } from "./lease.ts";
import { neverArrived } from "./network-reason.ts";
import { labelsOf, type Run } from "./run.ts";
import { calibration, deployment, names, pullSecret, replicas, service } from "./workload.ts";

/** The parts of the chapter that a run can need beside its namespace. */
export type Need = "etcd" | "deployment" | "service";

/** What could not be created, and why. The checks that need it say so; the others are none the worse for it. */
export type Obstacles = Partial<Record<Need, Failure>>;

/** The run could not begin, and it is certain that nothing of it is in the cluster. */
export class NothingCreated extends InconclusiveError {}

/** The way to stop renewing the Lease, and what could not be created. */
export type BegunRun = { stopRenewing: () => void; obstacles: Obstacles };

/**
 * @throws SettingsError when SMOKE_NAMESPACE does not exist or holds one of the chapter's names; nothing has been touched then
 * @throws NothingCreated when the API server cannot be reached or refuses
 */
export async function beginRun(client: KubernetesClient, run: Run, needs: ReadonlySet<Need>, signal: AbortSignal): Promise<BegunRun> {
  if (run.ownsNamespace) await createNamespace(client, run, signal);
  else await inspectNamespace(client, run, signal);
  const stopRenewing = await holdLease(client, run, signal);
  return { stopRenewing, obstacles: await createObjects(client, run, needs, signal) };
}

async function createNamespace(client: KubernetesClient, run: Run, signal: AbortSignal): Promise<void> {
  const namespace: V1Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: run.namespace, labels: labelsOf(run) } };
  try {
    await client.create("/api/v1/namespaces", namespace, { signal });
  } catch (error) {
    // Of a request that got no answer, one cannot know what came of it.
    if (error instanceof ApiRefusal || neverArrived(error)) throw new NothingCreated((error as Error).message, { cause: error });
    throw error;
  }
}

async function createObjects(client: KubernetesClient, run: Run, needs: ReadonlySet<Need>, signal: AbortSignal): Promise<Obstacles> {
  const core = `/api/v1/namespaces/${run.namespace}`;
  const creations: Record<Need, () => Promise<unknown>> = {
    etcd: () => client.create(`${core}/configmaps`, calibration(run), { signal }),
    service: () => client.create(`${core}/services`, service(run), { signal }),
    deployment: () => createScaledDeployment(client, run, signal),
  };
  const failures = await Promise.all(
    [...needs].map(async (need) => {
      try {
        await creations[need]();
        return [];
      } catch (error) {
        return [[need, { message: error instanceof Error ? error.message : String(error), verdict: verdictOf(error) }] as const];
      }
    }),
  );
  return Object.fromEntries(failures.flat());
}

/** As the chapter does it: created with one replica, then scaled to two through the scale subresource. */
async function createScaledDeployment(client: KubernetesClient, run: Run, signal: AbortSignal): Promise<void> {
  const { pullSecretPath } = run.settings;
  if (pullSecretPath !== undefined)
    await client.create(`/api/v1/namespaces/${run.namespace}/secrets`, pullSecret(run, pullSecretPath), { signal });
  const path = `/apis/apps/v1/namespaces/${run.namespace}/deployments`;
  await client.create(path, deployment(run), { signal });
  await client.patch(`${path}/${names.deployment}/scale`, { spec: { replicas } }, { signal });
}

/** Looks, and does no more. */
async function inspectNamespace(client: KubernetesClient, run: Run, signal: AbortSignal): Promise<void> {
  try {
    await refuseTakenNames(client, run, signal);
  } catch (error) {
    throw error instanceof SettingsError ? error : new NothingCreated((error as Error).message, { cause: error });
  }
}

/** In a namespace that is not the run's own, everything that bears one of the chapter's names belongs to somebody else. */
async function refuseTakenNames(client: KubernetesClient, run: Run, signal: AbortSignal): Promise<void> {
  const core = `/api/v1/namespaces/${run.namespace}`;
  if (!(await exists(client, core, signal))) {
    throw new SettingsError([
      `SMOKE_NAMESPACE="${run.namespace}": the cluster has no such namespace. Create it, or unset SMOKE_NAMESPACE.`,
    ]);
  }
  const paths = {
    [`Secret ${names.secret}`]: `${core}/secrets/${names.secret}`,
    [`Deployment ${names.deployment}`]: `/apis/apps/v1/namespaces/${run.namespace}/deployments/${names.deployment}`,
    [`Service ${names.service}`]: `${core}/services/${names.service}`,
    [`ConfigMap ${names.calibration}`]: `${core}/configmaps/${names.calibration}`,
    [`Secret ${names.pullSecret}`]: `${core}/secrets/${names.pullSecret}`,
  };
  const taken = await Promise.all(Object.entries(paths).map(async ([what, path]) => ((await exists(client, path, signal)) ? [what] : [])));
  if (taken.flat().length > 0) {
    throw new SettingsError([
      `SMOKE_NAMESPACE="${run.namespace}": it already holds ${taken.flat().join(", ")}, which this run would create. Nothing has been ` +
        `touched. Remove what is there (npm run cleanup, if an earlier run left it), or unset SMOKE_NAMESPACE.`,
    ]);
  }
}

async function exists(client: KubernetesClient, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await client.get(path, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
