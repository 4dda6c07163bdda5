import { afterEach, expect, test, vi } from "vitest";
import { runLab, startLab } from "./commands.ts";

afterEach(() => void vi.unstubAllEnvs());

// `faults` needs neither root nor a lab, and like every command it refuses a name or a subnet that cannot be.
test("a lab of our own has neither the name nor the subnet of the caller's", async () => {
  vi.stubEnv("LAB_NAME", "Callers");
  vi.stubEnv("LAB_SUBNET", "callers");
  const { exitCode, output } = await runLab("own", "faults");

  expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringContaining("etcd-stopped") });
});

test("a subnet that is asked for is the lab's", async () => {
  const { exitCode, output } = await startLab("own", { parameters: ["faults"], environment: { LAB_SUBNET: "all" } }).finished;

  expect({ exitCode, output }).toEqual({ exitCode: 2, output: expect.stringContaining('LAB_SUBNET="all": expected a /24') });
});
