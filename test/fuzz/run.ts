/**
 * npm run fuzz -- [--seconds 60] [--seed N] [--target NAME]
 *
 * Gives every target, or one, its share of the time and prints how many inputs each has taken. What
 * does not hold is printed with the smallest input that shows it; the run ends with exit status 1. A
 * failing run is repeated by its seed and `--target`.
 */

import { parseArgs } from 'node:util'
import { Fuzzing, type Finding } from './fuzzing.ts'
import { allTargets } from './targets.ts'

/** So that a target that is slow gets no more time than others. */
const SLICE_MILLISECONDS = 200

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    target: { type: 'string' },
  },
})
const seconds = wholeNumber('seconds')
const seed = wholeNumber('seed')
const targets = (await allTargets()).filter(({ name }) => values.target === undefined || name === values.target)
if (targets.length === 0) wrongUsage(`--target ${values.target}: there are ${(await allTargets()).map(({ name }) => name).join(', ')}`)

console.log(`seed ${seed}: ${targets.length} targets, ${seconds} s`)
const findings: Finding[] = []
const fuzzings = targets.map(target => new Fuzzing(target, seed))
const endsAt = performance.now() + seconds * 1000
let running = fuzzings
while (running.length > 0 && performance.now() < endsAt) {
  running = running.filter(fuzzing => {
    const finding = fuzzing.runFor(SLICE_MILLISECONDS)
    if (finding !== null) findings.push(finding)
    return finding === null
  })
}

for (const { target, inputs, milliseconds } of fuzzings) {
  console.log(`${target.name.padEnd(20)} ${String(inputs).padStart(10)} inputs ${String(Math.round(inputs / (milliseconds / 1000))).padStart(8)} each second`)
}
for (const { target, number, input, error } of findings) {
  console.log(`\n${target}, input ${number} of seed ${seed}: ${JSON.stringify(input.toString('latin1'))}`)
  console.log(error instanceof Error ? error.stack : error)
}
const inputs = fuzzings.reduce((sum, fuzzing) => sum + fuzzing.inputs, 0)
console.log(`\n${inputs} inputs, ${findings.length} findings, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB of memory`)
process.exitCode = findings.length === 0 ? 0 : 1

function wholeNumber(name: 'seconds' | 'seed'): number {
  const value = Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) wrongUsage(`--${name} ${values[name]}: write a whole number`)
  return value
}

function wrongUsage(what: string): never {
  console.error(`fuzz: ${what}`)
  process.exit(2)
}
