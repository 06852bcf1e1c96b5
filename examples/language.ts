/** What an agent can do for a text without a model: put its characters in order, and guess its language. */

export interface CleanText {
  readonly text: string;
  /** What had to be done, in the order in which it was. */
  readonly changes: string[];
}

const STEPS: readonly (readonly [change: string, step: (text: string) => string])[] = [
  ["composed characters", (text) => text.normalize("NFC")],
  [
    "removed invisible characters",
    (text) => text.replace(/\r\n?/g, "\n").replace(/[\u200B\u2060\uFEFF\u00AD]|(?![\n\t])\p{Cc}/gu, ""),
  ],
  [
    "collapsed white space",
    (text) =>
      text
        .replace(/[^\S\n]+/g, " ")
        .replace(/ ?\n ?/g, "\n")
        .replace(/\n{3,}/g, "\n\n"),
  ],
  ["trimmed", (text) => text.trim()],
  ["calmed punctuation", (text) => text.replace(/([!?])\1+/g, "$1").replace(/ +([!?,;:.])(?=\s|$)/g, "$1")],
];

/** Unicode NFC, no invisible characters, single blanks, no blanks at the ends, one mark where there were many. */
export function cleanText(text: string): CleanText {
  const changes: string[] = [];
  let clean = text;
  for (const [change, step] of STEPS) {
    const next = step(clean);
    if (next !== clean) changes.push(change);
    clean = next;
  }
  return { text: clean, changes };
}

/** The words that hold a language together, and that every text has. */
const STOP_WORDS: Readonly<Record<string, ReadonlySet<string>>> = {
  en: wordSet(
    "a an and are as at be but by can do for from has have how i if in is it me my not of on or so that the this to was we what when where which who will with you your",
  ),
  de: wordSet(
    "aber als am an auf aus bei bin bitte das dass dem den der die ein eine einen es für habe haben hat ich ihr im in ist kann mein meine mit nicht noch oder sie sind und von wann warum was wie wir wo zu zum zur",
  ),
  es: wordSet(
    "a al como con cuando de del dónde donde el ella en es está esta este gracias ha hay he la las lo los me mi mis no o para pero por puedo qué que se si sí son su una un y ya yo cuándo cómo",
  ),
  fr: wordSet(
    "à au aux avec ce cette comment dans de des du elle en est et il je la le les leur ma mais me mes mon ne nous ou où par pas pour puis quand que qui se si son sur un une vous votre",
  ),
};

/** Scripts that by themselves say enough. */
const SCRIPTS: readonly (readonly [language: string, script: RegExp])[] = [
  ["ja", /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ["ko", /\p{Script=Hangul}/u],
  ["zh", /\p{Script=Han}/u],
  ["ru", /\p{Script=Cyrillic}/u],
  ["ar", /\p{Script=Arabic}/u],
  ["el", /\p{Script=Greek}/u],
  ["he", /\p{Script=Hebrew}/u],
  ["hi", /\p{Script=Devanagari}/u],
  ["th", /\p{Script=Thai}/u],
];

export interface LanguageGuess {
  /** BCP 47; `und` when there is nothing to go by. */
  readonly language: string;
  /** From 0 to 1: how far it is ahead of the next. */
  readonly confidence: number;
}

/** Counts stop words, or goes by the script. Good for sentences, not for single words. */
export function guessLanguage(text: string): LanguageGuess {
  for (const [language, script] of SCRIPTS) if (script.test(text)) return { language, confidence: 1 };
  const words = wordsOf(text);
  const scores = Object.entries(STOP_WORDS)
    .map(([language, stopWords]) => ({ language, hits: words.filter((word) => stopWords.has(word)).length }))
    .sort((a, b) => b.hits - a.hits);
  const [best, next] = scores;
  if (best === undefined || best.hits === 0) return { language: "und", confidence: 0 };
  return { language: best.language, confidence: Math.round(((best.hits - (next?.hits ?? 0)) / best.hits) * 100) / 100 };
}

/** The words of a text in lower case. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** The words that say what a text is about: no stop words of any language, none of one or two letters, each once. */
export function contentWords(text: string): string[] {
  const isStopWord = (word: string): boolean => Object.values(STOP_WORDS).some((stopWords) => stopWords.has(word));
  return [...new Set(wordsOf(text))].filter((word) => word.length > 2 && !isStopWord(word));
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(" "));
}
