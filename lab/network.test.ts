import { expect, test } from "vitest";
import { overlap } from "./network.ts";

test.for([
  ["10.91.7.0/24", "10.91.7.0/24", true],
  ["10.0.0.0/8", "10.91.7.0/24", true],
  ["0.0.0.0/1", "10.91.7.0/24", true],
  ["0.0.0.0/0", "10.91.7.0/24", true],
  ["10.91.7.200/32", "10.91.7.0/24", true],
  ["10.91.7.255", "10.91.7.0/24", true],
  // As `ip address` has it: an address with the length of its network.
  ["10.91.6.129/23", "10.91.7.0/24", true],
  ["10.91.6.0/24", "10.91.7.0/24", false],
  ["10.91.8.0/24", "10.91.7.0/24", false],
  ["10.91.6.255", "10.91.7.0/24", false],
  ["10.91.8.0", "10.91.7.0/24", false],
  ["10.91.7.1", "10.91.7.2", false],
  ["128.0.0.0/1", "10.91.7.0/24", false],
  ["192.168.1.1/16", "10.91.7.0/24", false],
  // Beyond 2^31, where bits would turn negative.
  ["223.255.255.0/24", "223.255.255.255", true],
  ["255.255.255.255", "255.255.255.254/31", true],
] as const)("%s and %s share an address: %s", ([one, other, shared]) => {
  expect(overlap(one, other)).toBe(shared);
  expect(overlap(other, one)).toBe(shared);
});
