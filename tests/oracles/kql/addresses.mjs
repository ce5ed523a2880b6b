// Addresses and networks, as the functions whose names begin with `ipv4_`, `ipv6_` and `parse_ip` read them.

import { isIPv6 } from "node:net";

/** The number of an IPv4 address, or nothing. */
export function ipv4(text) {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return null;
  const parts = text.split(".").map(BigInt);
  return parts.some((part) => part > 255n) ? null : parts.reduce((number, part) => number * 256n + part, 0n);
}

/** The number of an IPv6 address, or nothing. */
export function ipv6(text) {
  if (!isIPv6(text) || text.includes("%")) return null;
  let written = text;
  const tail = /\d+\.\d+\.\d+\.\d+$/.exec(written);
  if (tail) {
    const number = ipv4(tail[0]);
    if (number === null) return null;
    written = `${written.slice(0, tail.index)}${(number >> 16n).toString(16)}:${(number & 65535n).toString(16)}`;
  }
  const [left, right] = written.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const groups = right === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill("0"), ...right];
  return groups.reduce((number, group) => number * 65536n + BigInt(`0x${group}`), 0n);
}

function inside(read, bits, address, network) {
  const [base, length = String(bits)] = network.split("/");
  const [one, other] = [read(address), read(base)];
  if (other === null || !/^\d+$/.test(length) || Number(length) > bits) throw new Error(`no network: ${network}`);
  if (one === null) return null;
  const shift = BigInt(bits - Number(length));
  return one >> shift === other >> shift;
}

/** Whether an IPv4 address lies in a network; nothing where it is no address. */
export function inIpv4(address, network) {
  return inside(ipv4, 32, address, network);
}

/** Whether an IPv6 address lies in a network; nothing where it is no address. */
export function inIpv6(address, network) {
  return inside(ipv6, 128, address, network);
}
