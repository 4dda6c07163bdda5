import { expect, test } from "vitest";
import { api, causeOf, healthy, lookalikes, type Case } from "../recorded.ts";

const pod = healthy().api.pods.find(({ nodeName }) => nodeName === "node-1")?.name ?? "";
/** The Pod of node-1 is otherwise. */
const podIs = (change: Partial<ReturnType<typeof healthy>["api"]["pods"][number]>) =>
  api(({ pods }) => ({ pods: pods.map((one) => (one.name === pod ? { ...one, ...change } : one)) }));

const log = `log of container nginx of pod smoke-1/${pod}`;
const exec = `exec of "nginx -v" in container nginx of pod smoke-1/${pod}`;
const notFound = `${exec}: refused with 500: container not found ("nginx")`;
const refusedInside = `${pod} on node-1: error forwarding port 80 to pod 3d8, uid : failed to connect to localhost:80 inside namespace "cni-1", IPv4: dial tcp4 127.0.0.1:80: connect: connection refused`;
const crashing = { ready: false, waiting: "CrashLoopBackOff: back-off 10s", ended: "Error, exit code 3" };
const following = (last: string) =>
  `${pod} on node-1: following the log did not show the request /smoke-1 within 5 s; it showed 1 lines, the last: ${last}.`;
const recorded = (last: string) =>
  `${pod} on node-1: the request /smoke-1 in the log of container nginx: not within 5 s; last seen: 1 lines, the last: ${last}`;
const noInstance = "failed to create fsnotify watcher: too many open files";
/** The same, as fsnotify puts it since its version 1.10. */
const noInstanceToday = "failed to create fsnotify watcher: couldn't initialize inotify: too many open files";
const noWatch = `failed to watch directory "/var/log/pods/x": no space left on device`;
const noLog =
  'failed to try resolving symlinks in path "/var/log/pods/smoke-1_x/nginx/0.log": lstat /var/log/pods/smoke-1_x: no such file or directory';
const authorization = "Authorization error (user=kubernetes, verb=get, resource=nodes, subresource(s)=[proxy])";

const cases: readonly Case[] = [
  {
    rule: "pod-not-running",
    check: "exec-version",
    message: notFound,
    change: podIs(crashing),
    cause: new RegExp(`^Pod ${pod} on node-1 does not run: its container waits \\(CrashLoopBackOff: back-off 10s\\)$`),
    butNot: [
      { message: notFound },
      // It is another Pod that waits.
      { message: notFound, change: api(({ pods }) => ({ pods: pods.map((one) => (one.name === pod ? one : { ...one, ...crashing })) })) },
      { message: `${exec}: refused with 500: nothing works`, change: podIs(crashing) },
      { check: "pods-on-bridge", message: notFound, change: podIs(crashing) },
    ],
  },
  {
    rule: "pod-not-running",
    check: "exec-version",
    message: notFound,
    change: podIs({ ended: "OOMKilled, exit code 137", restarts: 1 }),
    cause: new RegExp(`^Pod ${pod} on node-1 does not run: its container has ended \\(OOMKilled, exit code 137\\)$`),
  },
  {
    rule: "pod-not-running",
    check: "logs-recorded",
    message: `${log}: refused with 400: container "nginx" in pod "${pod}" is waiting to start: ContainerCreating`,
    change: podIs({ phase: "Pending", ready: false, waiting: "ContainerCreating: " }),
    cause: /does not run: its container waits \(ContainerCreating: \)$/,
  },
  {
    rule: "pod-not-running",
    check: "port-forward",
    message: `port-forward to port 80 of pod smoke-1/${pod}: refused with 500: pod not found ("${pod}_smoke-1")`,
    change: podIs({ phase: "Failed", ready: false, ended: "Error, exit code 3" }),
    cause: /does not run: its phase is Failed \(Error, exit code 3\)$/,
  },
  {
    rule: "pod-not-running",
    check: "port-forward",
    message: `port-forward to port 80 of pod smoke-1/${pod}: refused with 400: pod ${pod} does not have a host assigned`,
    change: podIs({ phase: "Pending", nodeName: "", ready: false, unscheduled: "0/2 nodes are available" }),
    cause: new RegExp(`^Pod ${pod} on no Node does not run: it has no Node \\(0/2 nodes are available\\)$`),
  },
  {
    rule: "pod-not-running",
    check: "port-forward",
    message: refusedInside,
    change: podIs(crashing),
    cause: /on node-1 does not run: its container waits/,
    // It runs again, and refuses all the same.
    butNot: [{ message: refusedInside, change: podIs({ ended: "Error, exit code 3", restarts: 1 }) }],
  },
  {
    rule: "upgrade-header-taken-away",
    check: "exec-tty",
    message: `${exec}: refused with 400: Upgrade request required`,
    cause: /^what stands between this machine and kube-apiserver takes the Upgrade header from requests/,
    butNot: [
      { message: `${exec}: refused with 403: Upgrade is not allowed` },
      { check: "secret-read-back", message: "API server https://x: GET y answered 400: Upgrade request required" },
    ],
  },
  {
    rule: "kubelet-cannot-ask-for-rights",
    check: "logs-recorded",
    message: `${log}: refused with 500: ${authorization}`,
    cause: /^the kubelet of node-1 cannot ask the API server what user kubernetes, who asks it, has a right to$/,
    butNot: [
      // It has asked, and heard no.
      { message: `${log}: refused with 403: Forbidden (user=kubernetes, verb=get, resource=nodes, subresource(s)=[proxy])` },
      { check: "nodes-ready", message: authorization },
    ],
  },
  {
    rule: "socat-missing",
    check: "port-forward",
    message: `${pod} on node-1: error forwarding port 80 to pod 3d8, uid : unable to do port forwarding: socat not found`,
    cause: /^the runtime on node-1 forwards ports by means of socat, which is not installed there$/,
    butNot: [
      { message: `${pod} on node-1: socat: unable to do port forwarding: exit status 1` },
      { message: `${pod} on node-1: unable to do port forwarding: nsenter not found` },
      { check: "exec-version", message: 'exec: exec failed: exec: "socat": executable file not found in $PATH' },
    ],
  },
  {
    rule: "inotify-max-user-instances",
    check: "logs-followed",
    message: following(noInstance),
    cause: /^the kubelet of node-1 cannot follow logs: its user has no inotify instance left$/,
    butNot: [
      { message: following("accept: too many open files") },
      { message: following(noWatch) },
      { check: "logs-recorded", message: recorded(noInstance) },
    ],
  },
  {
    rule: "inotify-max-user-instances",
    check: "logs-followed",
    message: following(noInstanceToday),
    cause: /^the kubelet of node-1 cannot follow logs: its user has no inotify instance left$/,
    butNot: [{ message: following(noWatch) }],
  },
  {
    rule: "inotify-max-user-watches",
    check: "logs-followed",
    message: following(noWatch),
    cause: /^the kubelet of node-1 cannot follow logs: its user has no inotify watch left$/,
    butNot: [{ message: following("write /var/log/x: no space left on device") }, { message: following(noInstance) }],
  },
  {
    rule: "log-not-where-kubelet-looks",
    check: "logs-recorded",
    message: recorded(noLog),
    cause: /^the kubelet of node-1 does not find the log that the runtime writes there, \/var\/log\/pods\/smoke-1_x\/nginx\/0\.log$/,
    butNot: [
      { message: recorded("lstat /usr/share/nginx/html/smoke-1: no such file or directory") },
      { check: "exec-reads", message: `exec: ${noLog}` },
    ],
  },
  {
    rule: "log-not-where-kubelet-looks",
    check: "logs-followed",
    message: `${log}: refused with 500: ${noLog}`,
    cause: /does not find the log/,
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
