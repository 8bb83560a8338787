// The words of the page, in three languages, from Fluent files. What a language lacks is said in English.

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import english from "../texts/en.ftl?raw";

export const LANGUAGES = ["en", "ja", "ko"] as const;
export type Language = (typeof LANGUAGES)[number];
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", ja: "日本語", ko: "한국어" };

const OTHERS: Record<Exclude<Language, "en">, () => Promise<{ default: string }>> = {
  ja: () => import("../texts/ja.ftl?raw"),
  ko: () => import("../texts/ko.ftl?raw"),
};

function bundleOf(language: Language, text: string): FluentBundle {
  const bundle = new FluentBundle(language, { useIsolating: false });
  bundle.addResource(new FluentResource(text));
  return bundle;
}

const fallback = bundleOf("en", english);

class Texts {
  language = $state<Language>("en");
  #bundle = $state.raw<FluentBundle>(fallback);

  /** Takes a language; the words follow as soon as they are here. */
  async use(language: Language): Promise<void> {
    const text = language === "en" ? english : (await OTHERS[language]()).default;
    this.#bundle = bundleOf(language, text);
    this.language = language;
  }

  say(id: string, values?: Record<string, FluentVariable>): string {
    for (const bundle of [this.#bundle, fallback]) {
      const pattern = bundle.getMessage(id)?.value;
      if (pattern) return bundle.formatPattern(pattern, values ?? null, []);
    }
    return id;
  }

  has(id: string): boolean {
    return fallback.hasMessage(id);
  }
}

export const texts = new Texts();

/** The words of a message, with its values filled in. */
export function t(id: string, values?: Record<string, FluentVariable>): string {
  return texts.say(id, values);
}
