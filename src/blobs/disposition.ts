/** Content-Disposition for a download, whatever the file is called. */

/** RFC 6266 with RFC 8187: an ASCII name for everybody, and the whole one beside it. Never `inline`. */
export function disposition(filename: string): string {
  const name =
    filename
      .toWellFormed()
      .replace(/[\p{Cc}\p{Cf}/\\]/gu, "_")
      .slice(0, 200)
      .toWellFormed() || "file";
  const ascii = name.replace(/[^\x20-\x7e]|["%;]/g, "_");
  const encoded = encodeURIComponent(name).replace(
    /['()*!]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return ascii === name
    ? `attachment; filename="${ascii}"`
    : `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
