/**
 * The Nodes' names on server, by which the API server reaches their kubelets.
 */
import { untilSo, type Fault, type Lab } from "./fault.ts";
import { certificate, kubeletOtherwise, unreached, verdictOnCertificate } from "./kubelet-access.ts";

const hosts = "/etc/hosts";
const workers = ["node-0", "node-1"];

/**
 * What a kubelet says to the API server, or why it says nothing. The API server keeps the connections that it has, and reads its hosts file
 * every 5 s at most; so they are cut before each question.
 */
async function throughAPIServer(lab: Lab, node: string, path: string): Promise<string> {
  await lab.on("server", "ss -K dport = :10250 >/dev/null 2>&1");
  return lab.kubectl("get", "--raw", `/api/v1/nodes/${node}/proxy${path}`).catch((error: Error) => error.message);
}

const swapNames = `sed -i 's/node-0/another/g; s/node-1/node-0/g; s/another/node-1/g' ${hosts}`;

/** The hosts file of server is otherwise, until the API server has noticed. */
function namesOtherwise(change: string, noticed: (lab: Lab) => Promise<boolean>): Pick<Fault, "inject" | "heal"> {
  const right = async (lab: Lab) => {
    const answers = [await throughAPIServer(lab, "node-0", "/healthz"), await throughAPIServer(lab, "node-1", "/healthz")];
    return answers.every((answer) => answer === "ok");
  };
  return {
    inject: async (lab) => {
      await lab.on("server", `cp ${hosts} ${hosts}.intended && ${change}`);
      await untilSo("the API server to read the names", () => noticed(lab));
    },
    heal: async (lab) => {
      await lab.on("server", `mv ${hosts}.intended ${hosts}`);
      await untilSo("the API server to reach the kubelets by their names again", () => right(lab));
    },
  };
}

/** Whether the API server does not find its way to the kubelet of node-1 any more. */
const noAnswer = async (lab: Lab): Promise<boolean> => (await throughAPIServer(lab, "node-1", "/healthz")) !== "ok";

/** Whether server takes the address of one worker for the other's. */
const swapped = async (lab: Lab): Promise<boolean> => {
  const address = lab.instance.topology.workers.find(({ name }) => name === "node-0")?.address;
  return (await lab.on("server", "getent hosts node-1")).startsWith(`${address} `);
};

/** A certificate that is valid for every worker, and its key, in one text. */
async function certificateForAll(lab: Lab): Promise<string> {
  const names = workers.map((node) => `DNS:${node}`).join(",");
  const issue = `openssl req -x509 -newkey ed25519 -nodes -days 30 -CA ca.crt -CAkey ca.key -subj /CN=workers/O=system:nodes`;
  const extensions = `-addext basicConstraints=CA:FALSE -addext extendedKeyUsage=serverAuth -addext subjectAltName=${names}`;
  const files = "-keyout /run/workers.key -out /run/workers.crt 2>/dev/null && cat /run/workers.key /run/workers.crt && rm /run/workers.*";
  return lab.on("server", `cd /var/lib/kubernetes && ${issue} ${extensions} ${files}`);
}

/** Its summary is the one thing in which a kubelet gives its name. */
const swappedUnnoticed = namesOtherwise(swapNames, async (lab) =>
  /"nodeName": *"node-0"/.test(await throughAPIServer(lab, "node-1", "/stats/summary?only_cpu_and_memory=true")),
);
const certifiedForAll = workers.map((node) =>
  kubeletOtherwise(node, certificate, async (lab) => `echo '${await certificateForAll(lab)}' | tee ${certificate.join(" ")} >/dev/null`),
);

export const names: readonly Fault[] = [
  {
    name: "node-1-without-address-on-server",
    state: "server does not know the address of node-1",
    ...namesOtherwise(`sed -i '/node-1/d' ${hosts}`, noAnswer),
    holds: async (lab) => (await lab.on("server", "getent hosts node-1 || true")) === "",
    ...unreached,
    because: /dial tcp: lookup node-1 on /,
    cause: /^Cause: the name node-1 does not resolve on server/,
  },
  {
    name: "node-names-swapped-on-server",
    state: "server takes each worker for the other",
    ...namesOtherwise(swapNames, noAnswer),
    holds: swapped,
    ...unreached,
    because: /x509: certificate is valid for node-\d, not node-\d/,
    cause: /^Cause: server takes node-0 for \S+, which is node-1/,
  },
  {
    name: "node-names-swapped-and-certified-on-server",
    state: "server takes each worker for the other, and their certificates are valid for both",
    inject: async (lab) => {
      for (const { inject } of certifiedForAll) await inject(lab);
      await swappedUnnoticed.inject(lab);
    },
    heal: async (lab) => {
      for (const { heal } of certifiedForAll) await heal(lab);
      await swappedUnnoticed.heal(lab);
    },
    holds: async (lab) => (await swapped(lab)) && /code: 0 /.test(await verdictOnCertificate(lab, "node-1")),
    ...unreached,
    because: /pod does not exist|the server could not find the requested resource/,
    cause: /^Cause: server takes node-0 for \S+, which is node-1/,
  },
];
