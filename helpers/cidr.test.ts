import { expect, test } from "vitest";
import { containsAddress, familyOf, firstAddress, normalise, normaliseAddress, overlaps } from "./cidr.ts";

test.for([
  ["10.200.0.0/24", "10.200.0.2", true],
  ["10.200.0.0/24", "10.200.1.2", false],
  ["10.200.0.9/24", "10.200.0.2", true],
  ["10.200.0.0/24", "::ffff:10.200.0.2", true],
  ["0.0.0.0/0", "192.0.2.1", true],
  ["192.0.2.1/32", "192.0.2.1", true],
  ["fd00:10::/64", "fd00:10:0::2", true],
  ["fd00:10::/64", "fd00:11::2", false],
  ["fd00:10::/64", "10.200.0.2", false],
  ["10.200.0.0/24", "None", false],
  ["10.200.0.0/24", "", false],
  ["10.0.0.0/8", "10.1", false],
] as const)("%s contains %s: %s", ([cidr, ip, expected]) => {
  expect(containsAddress(cidr, ip)).toBe(expected);
});

test.for([
  ["10.200.0.0/24", "10.200.0.0/24", true],
  ["10.200.0.0/16", "10.200.1.0/24", true],
  ["10.200.1.0/24", "10.200.0.0/16", true],
  ["10.200.0.0/24", "10.200.1.0/24", false],
  ["fd00::/48", "fd00:0:0:1::/64", true],
  ["fd00::/48", "10.200.0.0/24", false],
  ["0.0.0.0/0", "::/0", false],
] as const)("%s and %s overlap: %s", ([a, b, expected]) => {
  expect(overlaps(a, b)).toBe(expected);
});

test.for([
  ["10.200.0.0/24", "10.200.0.1"],
  ["10.200.0.77/24", "10.200.0.1"],
  ["10.200.255.255/32", "10.201.0.0"],
  ["fd00:10::/64", "fd00:10::1"],
] as const)("the first address of %s is %s", ([cidr, expected]) => {
  expect(firstAddress(cidr)).toBe(expected);
});

test("ranges and addresses are written in one way", () => {
  expect(normalise("10.200.0.9/24")).toBe("10.200.0.0/24");
  expect(normalise("FD00:0010:0:0::/64")).toBe("fd00:10::/64");
  expect(normaliseAddress("FD00:0:0::1")).toBe("fd00::1");
  expect(normaliseAddress("fe80::x")).toBeUndefined();
  expect(familyOf("fd00::/64")).toBe(6);
});

test.for(["SUBNET", "", "10.200.0.0", "10.200.0.0/33", "10.200/16"])("%j is refused as a range", (text) => {
  expect(() => normalise(text)).toThrow(`"${text}" is not an address range such as 10.200.0.0/24`);
});
