/** Judges a file by its name as it was sent: extensions that start something, and names that are shown otherwise than they act. */
import type { Findings } from "./findings.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * Programs, scripts, shortcuts, installers and disk images: the lists that Outlook and Gmail refuse (support.microsoft.com "Blocked attachments in
 * Outlook", support.google.com/mail/answer/6590), without certificates and databases, and what attackers went on to since.
 */
export const executableExtensions = words(`
  ade adp apk app appinstaller application appref-ms appx appxbundle bas bat bash bgi chm class cmd cnt com command
  cpl crx csh deb desktop diagcab diagcfg diagpkg dll dmg drv dqy elf ex ex_ exe fileloc fish fxp gadget grp hlp hpj hta htc img inetloc inf
  ins inx iqy iso isp isu its jar jnlp job jse js ksh lib library-ms lnk mad maf mag mam maq mar mas mat mau mav maw mcf mda mde mdt
  mdw mdz mjs cjs mof mpkg msc msh msh1 msh2 mshxml msh1xml msh2xml msi msix msixbundle msp mst msu nsh ocx odc ops oqy osd paf
  pcd phar pif pkg pl plg prf prg printerexport ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psm1 psdm1 py pyc pyo pyw pyz pyzw rb rdp
  reg rgs rpm rqy run scf scpt scptd scr sct search-ms searchconnector-ms settingcontent-ms sh shb shs slk so sys terminal theme themepack tool u3p udf
  udl url vb vbe vbp vbs vbscript vdi vhd vhdx vmdk vsmacros vsto vsw vxd war wasm wcx webloc webpnp website wim wll workflow ws wsb wsc wsf wsh
  xbap xll xnk xpi zsh
`);

/** As the extension before the last: nobody names a picture so. Others are parts of honest names (`example.com.pdf`, `a.lib.txt`). */
const tellingInside = words("exe scr pif bat cmd vbs vbe js jse wsf hta lnk ps1 msi jar cpl");

/** Shown by nobody. The overrides turn the text around, the others do not. */
const invisible = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u061c\u180e]/g;
const overrides = /[\u202d\u202e]/;
/** Windows takes what stands behind a colon for a stream of the file; NUL ends a name where C reads it. */
const pieces = /[\0:/\\]/;
/** `report.{00021401-0000-0000-C000-000000000046}` is a shortcut to the Windows shell. */
const classId = /\.\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}$/i;

/** The extensions of a name from the last to the first, in lower case: Windows drops dots and blanks at the end. */
export function extensionsOf(name: string): string[] {
  const [, ...extensions] = withoutTail(name.slice(0, 10_000).replace(invisible, ""))
    .split(".")
    .slice(-4)
    .map((part) =>
      withoutTail(part.replace(/\p{Cc}/gu, ""))
        .trimStart()
        .toLowerCase(),
    );
  return extensions.reverse();
}

export const extensionOf = (name: string): string => extensionsOf(name)[0] ?? "";

/** A pattern would try every run of blanks in the name, each to its end. */
function withoutTail(name: string): string {
  let end = name.length;
  while (end > 0 && /[.\s]/.test(name[end - 1] ?? "")) end--;
  return name.slice(0, end);
}

/** The extension that would start something, of whatever a system could take for the name. */
export function executableName(name: string): string | undefined {
  for (const piece of name.slice(0, 10_000).split(pieces)) {
    const last = extensionOf(piece);
    if (executableExtensions.has(last)) return last;
    if (classId.test(withoutTail(piece))) return "{class id}";
  }
  return undefined;
}

export const leadsAway = (name: string): boolean => /(?:^|[/\\])\.\.[/\\]/.test(name.slice(0, 10_000));

export const turnsAround = (name: string): boolean => overrides.test(name);

/** What the name of an attachment says. */
export function lookAtName(name: string, found: Findings): void {
  const executable = executableName(name);
  if (executable !== undefined) found.add("executable_name", executable);
  if (turnsAround(name)) found.add("name_direction", name);
  if (leadsAway(name)) found.add("name_path", name);
  const [, ...before] = extensionsOf(name.split(pieces).at(-1) ?? "");
  const inside = before.find((extension) => tellingInside.has(extension));
  if (inside !== undefined) found.add("double_extension", inside);
}
