/** Writes uuencode, for messages of tests. */
export function uuencoded(name: string, bytes: Uint8Array): string {
  const char = (sextet: number): string => (sextet === 0 ? "`" : String.fromCharCode(0x20 + sextet));
  let lines = "";
  for (let at = 0; at < bytes.length; at += 45) {
    const line = bytes.subarray(at, at + 45);
    lines += char(line.length);
    for (let i = 0; i < line.length; i += 3) {
      const quantum = ((line[i] ?? 0) << 16) | ((line[i + 1] ?? 0) << 8) | (line[i + 2] ?? 0);
      lines += char(quantum >> 18) + char((quantum >> 12) & 63) + char((quantum >> 6) & 63) + char(quantum & 63);
    }
    lines += "\n";
  }
  return `begin 644 ${name}\n${lines}\`\nend\n`;
}
