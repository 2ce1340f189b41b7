/** Examines whether previews can be made here, by making one. */
import { openCommandLog, openSettingsPreviewer } from "../../main.ts";
import { PreviewerBroken } from "../../model/preview.ts";
import { type Settings, secretsOf } from "../../settings/index.ts";
import { type Found, ok, problem } from "./finding.ts";

export async function examinePreviews(settings: Settings): Promise<Found> {
  try {
    const previewer = await openSettingsPreviewer({ settings, log: openCommandLog(settings, secretsOf(settings)) });
    await previewer?.close();
    return ok(
      "previews",
      previewer === undefined ? "no previews of pictures are made" : "previews of pictures are made",
    );
  } catch (error) {
    if (!(error instanceof PreviewerBroken)) throw error;
    return problem(
      "previews",
      error.message,
      "install sharp, or set previews.make to false: the daemon does not start",
    );
  }
}
