/**
 * The lab's life, as far as a smoke test on a healthy one does not see it: what is refused, what is killed, who waits. The tests are told
 * in order: each begins where the one before has ended.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { stoppedHosts } from "../environment.ts";
import { healthy } from "../healthy.ts";
import { chosenInstance, readDefinition } from "../instance.ts";
import { runSuite } from "../operator.ts";
import { onHost, runLab, startLab } from "../commands.ts";
import { tracesOn } from "./machine.ts";
import { ownLab } from "./own-lab.ts";

const name = "selflife";
const instance = chosenInstance({ LAB_NAME: name }, 3);
const up = { parameters: ["up", "--workers", "3"] };

const { begin, end, tracesBefore } = ownLab(instance);
beforeAll(begin);
afterAll(end);

test("all that stands in the way is said at once, with exit code 2, and nothing is changed", async () => {
  const environment = { LAB_SUBNET: "127.0.0.0/24", LAB_BINARIES: "/nowhere" };
  const { exitCode, output } = await startLab(name, { ...up, environment }).finished;

  expect(output).toContain('LAB_BINARIES="/nowhere": it lacks kube-apiserver');
  expect(output).toContain("The lab's network 127.0.0.0/24 overlaps address 127.0.0.1/8 of lo");
  expect(exitCode, output).toBe(2);
  expect(await tracesOn(instance)).toEqual(tracesBefore());
});

test("what an up that was killed has left is said, and removed without a trace", async () => {
  const killed = startLab(name, up);
  await killed.says(/control plane, registry and images \.\.\./);
  killed.kill();
  await killed.finished;
  const left = await tracesOn(instance);
  const down = await runLab(name, "down");

  expect(left, "what a killed up leaves").not.toEqual(tracesBefore());
  expect(down.exitCode, down.output).toBe(0);
  expect(await tracesOn(instance)).toEqual(tracesBefore());
});

test("after a kill, up builds it anew, while a second up waits, says so, and finds it healthy", async () => {
  const killed = startLab(name, up);
  await killed.says(/hosts server, node-0, node-1, node-2 \.\.\./);
  killed.kill();
  await killed.finished;
  const first = startLab(name, up);
  await first.says(/was left half made: it is built anew/);
  const [one, other] = await Promise.all([first.finished, startLab(name, up).finished]);

  const [, seconds] = /is up and healthy after (\d+) s\n$/.exec(one.output) ?? [];
  expect(one.exitCode, one.output).toBe(0);
  expect(Number(seconds), `seconds, with all that is cached: ${one.output}`).toBeLessThanOrEqual(60);
  expect(other, other.output).toMatchObject({
    exitCode: 0,
    output: `lab: another lab command is at work on this machine; waiting for it\nlab: "${name}" is up and healthy\n`,
  });
});

test("with three workers every check passes", async () => {
  const { exitCode, verdicts, output } = await runSuite(instance);

  expect(new Set(Object.values(verdicts).map(({ verdict }) => verdict)), output).toEqual(new Set(["pass"]));
  expect(exitCode, output).toBe(0);
});

test("a kubelet that has stopped is seen at once, though the API calls its Node Ready for a while", async () => {
  await onHost(instance, "node-2", "systemctl stop kubelet");
  const unhealthy = healthy(instance, 1_000);

  await expect(unhealthy).rejects.toThrow("kubelet.service of node-2 is inactive");
});

test("a host that was killed is told by status, and the lab that has lost it goes down without a trace", async () => {
  process.kill(readDefinition(name)?.leaders["node-1"] as number, "SIGKILL");
  await expect.poll(() => stoppedHosts(instance)).toEqual(["node-1"]);
  const status = await runLab(name, "status");
  const down = await runLab(name, "down");

  expect(status).toEqual({ exitCode: 1, output: `"${name}" is not up: node-1 does not run. Repair it: npm run lab -- up\n` });
  expect(down.exitCode, down.output).toBe(0);
  expect(await tracesOn(instance)).toEqual(tracesBefore());
});
