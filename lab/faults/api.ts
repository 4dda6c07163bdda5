/**
 * The API server does not answer, or not as it should.
 */
import { everyCheck, isSo, needingRun, unitStopped, untilSo, type Fault, type Lab } from "./fault.ts";
import { giveKubeconfig, givenKubeconfig, takeKubeconfig } from "./kubeconfigs.ts";
import { reconnect } from "./reconnect.ts";

const port = 6444;
const script = "/usr/local/bin/answer-500";
const folder = "/var/lib/kubernetes";

/** Reads the head of a request, and answers as an API server does that has lost its footing. */
const answer500 = `#!/bin/sh
while IFS= read -r line && [ \${#line} -gt 1 ]; do :; done
printf 'HTTP/1.1 500 Internal Server Error\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\n\\r\\n'
printf '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"the lab answers 500","reason":"InternalError","code":500}'`;

const tls = `cert=${folder}/kube-api-server.crt,key=${folder}/kube-api-server.key,verify=0`;
const listen = `socat OPENSSL-LISTEN:${port},fork,reuseaddr,${tls} EXEC:${script}`;
const isAnswering500 = `[ "$(curl --silent --insecure --output /dev/null --write-out '%{http_code}' https://127.0.0.1:${port}/readyz)" = 500 ]`;

const isStopped = (lab: Lab): Promise<boolean> => isSo(lab, "server", "grep -q '^State:.*stopped' /proc/$(pgrep -x kube-apiserver)/status");

export const api: readonly Fault[] = [
  unitStopped("server", "kube-apiserver", {
    heal: async (lab) => {
      await lab.on("server", "systemctl start kube-apiserver");
      await reconnect(lab);
    },
    fails: [],
    inconclusive: everyCheck,
    because: /connection refused\. Is kube-apiserver running there/,
    cause: /^Cause: kube-apiserver is not running on server \((?:inactive|failed)\)/,
  }),
  {
    name: "api-answers-500",
    state: "the API of the kubeconfig answers 500 to everything",
    inject: async (lab) => {
      await lab.on(
        "server",
        `cat > ${script} <<'END'\n${answer500}\nEND\nchmod +x ${script} && systemd-run --quiet --unit=answer-500 ${listen}`,
      );
      await giveKubeconfig(lab, ({ clusters }) => {
        for (const { cluster } of clusters) cluster.server = cluster.server.replace(/:\d+$/, `:${port}`);
      });
      await untilSo(`port ${port} of server answers 500`, () => isSo(lab, "server", isAnswering500));
    },
    heal: async (lab) => {
      await takeKubeconfig(lab);
      await lab.on("server", `systemctl stop answer-500 && rm ${script}`);
    },
    holds: (lab) => isSo(lab, "server", isAnswering500),
    environment: givenKubeconfig,
    fails: ["nodes-ready"],
    inconclusive: needingRun,
    because: /answered 500: the lab answers 500/,
    cause: /^Cause: what is at https:\/\/\S+:6444 does not pass requests to kube-apiserver, which on server is ready/,
  },
  {
    name: "kube-apiserver-hangs",
    state: "kube-apiserver is there, takes connections, and answers nobody",
    inject: (lab) => lab.on("server", "systemctl kill --signal=SIGSTOP kube-apiserver"),
    heal: async (lab) => {
      await lab.on("server", "systemctl kill --signal=SIGCONT kube-apiserver");
      await reconnect(lab);
    },
    holds: isStopped,
    fails: [],
    inconclusive: everyCheck,
    because: /Does kube-apiserver hang/,
    cause: /^Cause: kube-apiserver on server is suspended: /,
  },
];
