/**
 * Pods that are Ready, and in which nginx is not as it should be.
 */
import { overPodNetwork } from "../../helpers/diagnosis/checks.ts";
import { podsMutated } from "./api-objects.ts";
import type { Armed, Fault } from "./fault.ts";
import { otherServer } from "./other-server.ts";
import { heardThrough, unansweredThrough } from "./symptoms.ts";

const start = `exec nginx -g "daemon off;"`;
const site = "/etc/nginx/sites-available/default";
const listeningOn = (address: string): string => `sed -i "s/listen 80/listen ${address}:80/; /listen \\[::\\]/d" ${site}`;

/** Every Pod runs a script in place of the image's command. */
const running = (name: string, script: string): Armed => podsMutated(name, { "/spec/containers/0/command": ["sh", "-c", script] });

/** As the shell has it between double quotes. */
const withoutAddress = String.raw`log_format bare '\"\$request\" \$status \$body_bytes_sent';`;

const unlogged = {
  "logs-recorded": /in the log of container nginx: not within [\d.]+ s; last seen: 0 lines/,
  "logs-followed": /following the log did not show the request \S+ within \d+ s; it showed 0 lines/,
};

export const nginx: readonly Fault[] = [
  {
    name: "nginx-on-pod-ip-only",
    state: "nginx listens on the Pod's address alone, and a port-forward comes in by the loopback",
    ...running("nginx-on-pod-ip-only", `${listeningOn("`hostname -i`")} && ${start}`),
    fails: ["port-forward"],
    // The request that is to appear in a log goes through a forward.
    inconclusive: ["logs-recorded", "logs-followed"],
    because: /failed to connect to localhost:80 inside namespace .* connection refused/,
    cause: /^Cause: nginx in the Pod on node-\d does not listen on 127\.0\.0\.1/,
  },
  {
    name: "nginx-on-loopback-only-on-node-1",
    state: "of two Pods, the one on node-1 listens on its loopback alone, and refuses all others",
    ...running("nginx-on-loopback-only-on-node-1", `case $(hostname -i) in 10.200.1.*) ${listeningOn("127.0.0.1")};; esac; ${start}`),
    fails: overPodNetwork,
    inconclusive: [],
    because: {
      "pod-ip-from-server": /server: curl http:\/\/10\.200\.1\.\d+:80 exited 7, expected 0: .*Failed to connect/,
      "node-port-answers": unansweredThrough("node-0", "refused"),
      "node-port-every-pod": heardThrough("node-1", ["node-0"]),
    },
    cause: /^Cause: Pod nginx-\S+ on node-1 does not answer, not even to its own Node/,
  },
  {
    name: "nginx-renamed",
    state: "nginx runs, and its program has another name",
    ...running("nginx-renamed", `mv /usr/sbin/nginx /usr/sbin/web-server && exec web-server -g "daemon off;"`),
    fails: ["exec-version"],
    inconclusive: [],
    because: /executable file not found/,
    cause: /^Cause: the image nginx:latest has no nginx where exec looks for it/,
  },
  {
    name: "nginx-logs-nothing",
    state: "nginx keeps no log of the requests that it answers",
    ...running("nginx-logs-nothing", `sed -i "s#access_log .*#access_log off;#" /etc/nginx/nginx.conf && ${start}`),
    fails: ["logs-recorded", "logs-followed"],
    // Only the logs tell which Pod has answered.
    inconclusive: ["node-port-every-pod"],
    because: unlogged,
    cause: /^Cause: the container of the Pod on node-\d does not log its requests/,
  },
  {
    name: "nginx-logs-no-addresses",
    state: "nginx logs of each request what was asked and answered, and not from where",
    ...running(
      "nginx-logs-no-addresses",
      `sed -i "s#\\(access_log \\S*\\);#${withoutAddress} \\1 bare;#" /etc/nginx/nginx.conf && ${start}`,
    ),
    fails: ["logs-recorded"],
    inconclusive: [],
    because: /from 127\.0\.0\.1, method, path, status: expected .* line: '"GET \/TOKEN HTTP\/1\.1" 404/,
    cause: /^Cause: the log of the Pod on node-\d does not show 127\.0\.0\.1/,
  },
  {
    name: "another-server-answers",
    state: "another server than nginx answers in the Pods, with 200, and logs nothing",
    ...podsMutated("another-server-answers", { "/spec/containers/0/command": ["perl", "-e", otherServer, "80"] }),
    fails: ["pod-ip-from-server", "port-forward", "logs-recorded", "logs-followed", "node-port-answers"],
    inconclusive: ["node-port-every-pod"],
    because: {
      ...unlogged,
      "pod-ip-from-server": /page: 'a page of 0 bytes without a title'/,
      "port-forward": /answers: \[ '200 from other-server'/,
      "node-port-answers": unansweredThrough("node-0", "200 from other-server"),
    },
    cause: /^Cause: what answers in the Pods is not nginx/,
  },
];
