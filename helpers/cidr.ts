/**
 * Addresses and address ranges, IPv4 and IPv6. Ranges are written as everywhere in Kubernetes: `10.200.0.0/24`, `fd00:10::/64`.
 */
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Whether an address lies in a range. What is no address, such as the clusterIP `None`, lies in none. */
export function containsAddress(cidr: string, ip: string): boolean {
  const address = parseAddress(ip);
  const { network, length } = parse(cidr);
  return address !== undefined && address.kind() === network.kind() && address.match(network, length);
}

/** Whether two ranges share an address. */
export function overlaps(a: string, b: string): boolean {
  return containsAddress(a, parse(b).network.toString()) || containsAddress(b, parse(a).network.toString());
}

/**
 * The first address after the network's own, which host-local takes for the gateway when its configuration names none.
 * https://www.cni.dev/plugins/current/ipam/host-local/
 */
export function firstAddress(cidr: string): string {
  const bytes = parse(cidr).network.toByteArray();
  for (let index = bytes.length - 1; index >= 0; index -= 1) {
    bytes[index] = ((bytes[index] as number) + 1) % 256;
    if (bytes[index] !== 0) break;
  }
  return ipaddr.fromByteArray(bytes).toString();
}

/** A range in the one notation that can be compared: without host bits, IPv6 at its shortest. */
export function normalise(cidr: string): string {
  const { network, length } = parse(cidr);
  return `${network.toString()}/${length}`;
}

/** An address in the one notation that can be compared, or undefined for what is no address. */
export function normaliseAddress(ip: string): string | undefined {
  return parseAddress(ip)?.toString();
}

/** 4 or 6. */
export function familyOf(cidr: string): 4 | 6 {
  return parse(cidr).network.kind() === "ipv4" ? 4 : 6;
}

/** Whether a text is an address range, of IPv4 in four decimal parts or of IPv6. */
export function isCIDR(text: string): boolean {
  return ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text);
}

/** ipaddr.js alone would read `10.1` and `0x0a.0.0.1` as addresses too; nothing in Kubernetes writes them. */
function parseAddress(ip: string): Address | undefined {
  return ipaddr.IPv4.isValidFourPartDecimal(ip) || ipaddr.IPv6.isValid(ip) ? ipaddr.process(ip) : undefined;
}

function parse(cidr: string): { network: Address; length: number } {
  if (!isCIDR(cidr)) throw new RangeError(`"${cidr}" is not an address range such as 10.200.0.0/24`);
  const [, length] = ipaddr.parseCIDR(cidr);
  const network = ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr)
    : ipaddr.IPv6.networkAddressFromCIDR(cidr);
  return { network, length };
}
