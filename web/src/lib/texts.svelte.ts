// The words of the page, in three languages, from Fluent files. What a language lacks is said in English.

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
// The words of notices stand beside the program's other words: the terminal says them too.
import englishNotices from "../../../src/beaconfire/alerting/notices/en.ftl?raw";
import english from "../texts/en.ftl?raw";
import type { Notice } from "./wire";

export const LANGUAGES = ["en", "ja", "ko"] as const;
export type Language = (typeof LANGUAGES)[number];
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", ja: "日本語", ko: "한국어" };

type Pattern = Parameters<FluentBundle["formatPattern"]>[0];
type Words = { page: FluentBundle; notices: FluentBundle };
type File = Promise<{ default: string }>;

const OTHERS: Record<Exclude<Language, "en">, () => Promise<[Awaited<File>, Awaited<File>]>> = {
  ja: () => Promise.all([import("../texts/ja.ftl?raw"), import("../../../src/beaconfire/alerting/notices/ja.ftl?raw")]),
  ko: () => Promise.all([import("../texts/ko.ftl?raw"), import("../../../src/beaconfire/alerting/notices/ko.ftl?raw")]),
};

function bundleOf(language: Language, text: string): FluentBundle {
  const bundle = new FluentBundle(language, { useIsolating: false });
  bundle.addResource(new FluentResource(text));
  return bundle;
}

function wordsOf(language: Language, page: string, notices: string): Words {
  return { page: bundleOf(language, page), notices: bundleOf(language, notices) };
}

const fallback = wordsOf("en", english, englishNotices);

class Texts {
  language = $state<Language>("en");
  #words = $state.raw<Words>(fallback);

  /** Takes a language; the words follow as soon as they are here. */
  async use(language: Language): Promise<void> {
    if (language === "en") this.#words = fallback;
    else {
      const [page, notices] = await OTHERS[language]();
      this.#words = wordsOf(language, page.default, notices.default);
    }
    this.language = language;
  }

  say(id: string, values?: Record<string, FluentVariable>): string {
    for (const bundle of [this.#words.page, fallback.page]) {
      const pattern = bundle.getMessage(id)?.value;
      if (pattern) return bundle.formatPattern(pattern, values ?? null, []);
    }
    return id;
  }

  /** The title of a notice, and what its arguments say; empty where there are no words for this code, or not for these arguments. */
  notice({ code, arguments: values }: Pick<Notice, "code" | "arguments">): { title: string; detail: string } {
    const bundle = this.#words.notices;
    const message = bundle.getMessage(code);
    const say = (pattern: Pattern | null | undefined, given: Record<string, FluentVariable>): string => {
      const faults: Error[] = [];
      const text = pattern ? bundle.formatPattern(pattern, given, faults) : "";
      return faults.length === 0 ? text : "";
    };
    return { title: say(message?.value, {}), detail: values ? say(message?.attributes.detail, values) : "" };
  }
}

export const texts = new Texts();

/** The words of a message, with its values filled in. */
export function t(id: string, values?: Record<string, FluentVariable>): string {
  return texts.say(id, values);
}
