/**
 * Something stands between the run and the API server, as a load balancer does, and does it no good.
 */
import { byExec } from "../../helpers/diagnosis/checks.ts";
import { needingRun, untilSo, type Armed, type Fault, type Lab } from "./fault.ts";
import { giveKubeconfig, givenKubeconfig, takeKubeconfig } from "./kubeconfigs.ts";

const port = 6444;
const unit = "in-between";
const api = `https://127.0.0.1:${port}`;
const program = `/usr/local/bin/${unit}`;
/** The admin's certificate and key, with which it may log in. */
const admin = `/run/${unit}.pem`;
const folder = "/var/lib/kubernetes";
const tls = `cert=${folder}/kube-api-server.crt,key=${folder}/kube-api-server.key,verify=0`;

const adminData = (part: string): string => `sed -n 's/^ *client-${part}-data: //p' /root/admin.kubeconfig | base64 -d >> ${admin}`;

/**
 * The run comes by way of a script on server, one process a connection: on its standard input what is asked, without TLS. A socat that is
 * stopped exits as if it had failed, and a unit that has failed would stay, in the way of the next of its name.
 */
function standsBetween(script: string, holds: Fault["holds"]): Armed & Pick<Fault, "environment"> {
  const listen = `socat OPENSSL-LISTEN:${port},fork,reuseaddr,${tls} EXEC:${program}`;
  return {
    inject: async (lab) => {
      await lab.on("server", `umask 077; ${["certificate", "key"].map(adminData).join("; ")}`);
      await lab.on(
        "server",
        `cat > ${program} <<'END' && chmod +x ${program} && systemd-run --quiet --collect --unit=${unit} ${listen}\n#!/bin/sh\n${script}\nEND\n`,
      );
      await giveKubeconfig(lab, ({ clusters }) => {
        for (const { cluster } of clusters) cluster.server = cluster.server.replace(/:\d+$/, `:${port}`);
      });
      await untilSo(`what is at port ${port} of server to be at work`, () => holds(lab));
    },
    heal: async (lab) => {
      await takeKubeconfig(lab);
      await lab.on("server", `systemctl stop ${unit} && rm ${program} ${admin}`);
    },
    holds,
    environment: givenKubeconfig,
  };
}

/** What comes of a request to it, for curl. */
const codeOf = (lab: Lab, request: string): Promise<string> =>
  lab.on("server", `curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' ${request} || true`);

/** Reads the head of a request, and answers as an API server does that has lost its footing. */
const answer500 = `while IFS= read -r line && [ \${#line} -gt 1 ]; do :; done
printf 'HTTP/1.1 500 Internal Server Error\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\n\\r\\n'
printf '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"the lab answers 500","reason":"InternalError","code":500}'`;

/** Passes on what comes, as admin. */
const passOn = `socat - OPENSSL:127.0.0.1:6443,cert=${admin},verify=0`;
const changing = (substitution: string): string => `perl -e 'while (sysread STDIN, $_, 65536) { ${substitution}; syswrite STDOUT, $_ }'`;

/** Of what is asked two headers are taken out, which RFC 9110, 7.6.1 leaves to whoever stands between. */
const takeUpgrade = `${changing("s/^(Upgrade|Connection):.*?\\r\\n//gim")} | ${passOn}`;

/** In base64, and of one length, so that the length of an answer stays what its head says. */
const [written, returned] = ["mydata", "others"].map((text) => Buffer.from(text).toString("base64"));
const alterData = `${passOn} | ${changing(`s/${written}/${returned}/g`)}`;

/** What is returned of a ConfigMap that nobody keeps. */
const tryData = `kubectl --kubeconfig=/root/admin.kubeconfig --server=${api} create configmap tried --from-literal=tried=${written} --dry-run=server --output=jsonpath={.data.tried} || true`;

/** Over a websocket, with 101, an API server serves a watch to whoever asks so, and else with 200. */
const watchByWebsocket =
  `--http1.1 --header 'Connection: Upgrade' --header 'Upgrade: websocket' --header 'Sec-WebSocket-Version: 13' ` +
  `--header "Sec-WebSocket-Key: $(head -c 16 /dev/zero | base64)" '${api}/api/v1/namespaces?watch=true&timeoutSeconds=1'`;

export const inBetween: readonly Fault[] = [
  {
    name: "api-answers-500",
    state: "the API of the kubeconfig answers 500 to everything",
    ...standsBetween(answer500, async (lab) => (await codeOf(lab, `${api}/readyz`)) === "500"),
    // A removal that is always refused is tried as long as there is time, to the disadvantage of whoever else is on this machine.
    environment: (lab) => ({ ...givenKubeconfig(lab), SMOKE_CLEANUP_TIMEOUT_SECONDS: "3" }),
    fails: ["nodes-ready"],
    inconclusive: needingRun,
    because: /answered 500: the lab answers 500/,
    cause: /^Cause: what is at https:\/\/\S+:6444 does not pass requests to kube-apiserver, which on server is ready/,
  },
  {
    name: "upgrade-header-taken-away",
    state: "what stands between the run and the API server takes the Upgrade header from requests, and passes on all else",
    ...standsBetween(takeUpgrade, async (lab) => (await codeOf(lab, watchByWebsocket)) === "200"),
    fails: ["port-forward", ...byExec],
    // The request that is to appear in a log goes through a forward.
    inconclusive: ["logs-recorded", "logs-followed"],
    because: /refused with 400: .*Upgrade request required/,
    cause: /^Cause: what stands between this machine and kube-apiserver takes the Upgrade header from requests/,
  },
  {
    name: "answers-altered-in-between",
    state: "what stands between the run and the API server puts other data in place of the Secret's",
    ...standsBetween(alterData, async (lab) => (await lab.on("server", tryData)) === returned),
    fails: ["secret-read-back"],
    inconclusive: [],
    because: /decoded: expected \{[^}]* mykey: 'others'/,
    cause: /^Cause: what stands between this machine and kube-apiserver alters what it answers/,
  },
];
