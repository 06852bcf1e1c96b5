/** Finds the articles that a text is about. */
import type { Article } from "./knowledge.ts";
import { contentWords } from "./language.ts";

export interface Found {
  readonly article: Article;
  /** The words of the text that led to it. */
  readonly words: string[];
  readonly score: number;
}

/** Articles that share words with a text, best first; rare words count more (inverse document frequency). */
export function searchArticles(articles: readonly Article[], text: string, limit: number): Found[] {
  const wanted = contentWords(text);
  const indexed = articles.map((article) => ({
    article,
    words: contentWords(`${article.title} ${article.keywords} ${Object.values(article.text).join(" ")}`),
  }));
  const weight = (word: string): number => {
    const known = indexed.filter(({ words }) => words.some((other) => isSameWord(word, other))).length;
    return known === 0 ? 0 : Math.log(1 + articles.length / known);
  };
  return indexed
    .map(({ article, words }) => {
      const shared = wanted.filter((word) => words.some((other) => isSameWord(word, other)));
      const score = shared.reduce((sum, word) => sum + weight(word), 0);
      return { article, words: shared, score: Math.round(score * 100) / 100 };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}

/** The same, or alike but for an ending: "deliver" and "delivered", "refund" and "refunds". */
export function isSameWord(a: string, b: string): boolean {
  if (a === b) return true;
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  return shorter.length >= 5 && longer.startsWith(shorter) && longer.length - shorter.length <= 3;
}
