/** All targets: whatever lies in targets/. */

import { readdirSync } from 'node:fs'
import type { FuzzTarget } from './target.ts'

const FOLDER = `${import.meta.dirname}/targets`

export async function allTargets(): Promise<readonly FuzzTarget[]> {
  const files = readdirSync(FOLDER).filter(name => name.endsWith('.ts')).toSorted()
  return Promise.all(
    files.map(async file => {
      const { target } = (await import(`${FOLDER}/${file}`)) as { readonly target: FuzzTarget }
      if (`${target.name}.ts` !== file) throw new Error(`${file} calls itself ${target.name}`)
      return target
    }),
  )
}
