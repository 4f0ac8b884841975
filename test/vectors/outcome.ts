/** What running one case of a vector file came to. */
export type CaseOutcome = {
  readonly name: string
  /** Null if it passed; else what was expected and what came. */
  readonly problem: string | null
}

export function compare(name: string, expected: unknown, got: unknown): CaseOutcome {
  const [wanted, came] = [JSON.stringify(expected), JSON.stringify(got)]
  return { name, problem: wanted === came ? null : `expected ${wanted}\n     got ${came}` }
}
