/**
 * What the run is given to log in to the API with does not let it in, or not far enough.
 */
import { X509Certificate } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { byExec } from "../../helpers/diagnosis/checks.ts";
import { everyCheck, givenFile, needingRun, type Fault, type Lab } from "./fault.ts";
import { certificateGiven, giveCertificate, givenKubeconfig, takeKubeconfig } from "./kubeconfigs.ts";

type PolicyRule = { apiGroups: string[]; resources: string[]; verbs: string[] };

/** The rights that the suite asks for, less some. */
async function rightsLess(lack: (rule: PolicyRule) => PolicyRule): Promise<PolicyRule[]> {
  const { rules } = parse(await readFile(join(import.meta.dirname, "../../docs/rbac.yaml"), "utf8")) as { rules: PolicyRule[] };
  return rules.map(lack).filter(({ resources, verbs }) => resources.length > 0 && verbs.length > 0);
}

/** The run is given a user of its own. */
function userWithout(what: string, lack: (rule: PolicyRule) => PolicyRule): Pick<Fault, "inject" | "heal" | "environment"> {
  const name = `user-without-${what}`;
  return {
    inject: async (lab) => {
      const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules: await rightsLess(lack) };
      await writeFile(givenFile(lab, "role.json"), JSON.stringify(role));
      await lab.kubectl("apply", `--filename=${givenFile(lab, "role.json")}`);
      await rm(givenFile(lab, "role.json"));
      await lab.kubectl("create", "clusterrolebinding", name, `--clusterrole=${name}`, `--user=${name}`);
      await giveCertificate(lab, { name, days: 1 });
    },
    heal: async (lab) => {
      await takeKubeconfig(lab);
      await lab.kubectl("delete", "clusterrolebinding,clusterrole", name);
    },
    environment: givenKubeconfig,
  };
}

/** The rights that a user has, as a table. */
const rightsOf = (lab: Lab, user: string): Promise<string> => lab.kubectl("auth", "can-i", "--list", `--as=${user}`);

export const credentials: readonly Fault[] = [
  {
    name: "client-certificate-expired",
    state: "the client certificate of the kubeconfig has expired",
    inject: (lab) => giveCertificate(lab, { name: "admin", group: "system:masters", days: -1 }),
    heal: takeKubeconfig,
    holds: async (lab) => new Date(new X509Certificate(await certificateGiven(lab)).validTo) < new Date(),
    environment: givenKubeconfig,
    fails: [],
    inconclusive: everyCheck,
    because: /answered 401: the client certificate of user "admin" has expired on/,
    cause: /^Cause: the client certificate of user "admin" in the kubeconfig has expired/,
  },
  {
    name: "user-without-exec",
    state: "the kubeconfig's user may do all that the suite needs but exec",
    ...userWithout("exec", (rule) => ({ ...rule, resources: rule.resources.filter((resource) => resource !== "pods/exec") })),
    holds: async (lab) => {
      const rights = await rightsOf(lab, "user-without-exec");
      return rights.includes("pods/portforward") && !rights.includes("pods/exec");
    },
    fails: [],
    inconclusive: byExec,
    because: /cannot (?:get|create) resource "pods\/exec"/,
    cause: /^Cause: user "user-without-exec" of the kubeconfig has no right to (?:get|create) pods\/exec/,
  },
  {
    name: "user-without-create",
    state: "the kubeconfig's user may create nothing",
    ...userWithout("create", (rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => verb !== "create") })),
    holds: async (lab) => /namespaces +\S* *\S* +\[get list delete\]/.test(await rightsOf(lab, "user-without-create")),
    fails: [],
    inconclusive: needingRun,
    because: /cannot create resource "namespaces" .* docs\/rbac\.yaml/,
    cause: /^Cause: user "user-without-create" of the kubeconfig has no right to create namespaces/,
  },
  {
    name: "wrong-context",
    state: "SMOKE_CONTEXT names a context that the kubeconfig does not have",
    inject: async () => undefined,
    heal: async () => undefined,
    holds: async (lab) => !(await lab.kubectl("config", "get-contexts", "-o", "name")).includes("kubernetes-the-easy-way"),
    environment: { SMOKE_CONTEXT: "kubernetes-the-easy-way" },
    fails: [],
    inconclusive: [],
    because: /the context that SMOKE_CONTEXT names, "kubernetes-the-easy-way", is not in it\. It has: kubernetes-the-hard-way/,
    exitCode: 2,
  },
];
