import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operandProblem, parseArguments } from './arguments.ts'
import type { OptionSpecs } from './command.ts'

const SPECS: OptionSpecs = {
  all: { type: 'flag', describe: '' },
  sender: { type: 'text', value: 'A', describe: '' },
  email: { type: 'list', value: 'A', describe: '' },
  days: { type: 'number', value: 'N', describe: '' },
  format: { type: 'choice', choices: ['p12', 'pem'], describe: '' },
}

/** The values as JSON and the operands; or the problem. */
function check(line: string, expected: string): void {
  const parsed = parseArguments(line.split(' ').filter(word => word !== ''), SPECS)
  const said = parsed.ok ? `${JSON.stringify(Object.fromEntries(parsed.value.values))} ${parsed.value.operands.join(' ')}`.trimEnd() : parsed.problem
  assert.equal(said, expected, line)
}

test('options come in any order, with a blank or an equals sign', () => {
  check('', '{}')
  check('joe --all ann', '{"all":true} joe ann')
  check('--sender=a@b --days 3 --format pem', '{"sender":"a@b","days":3,"format":"pem"}')
  check('--email a --email b joe', '{"email":["a","b"]} joe')
  check('-- --all', '{} --all')
})

test('what is not known, or not whole, is wrong usage', () => {
  check('--al', 'unknown option --al; did you mean --all?')
  check('--zzzzzz', 'unknown option --zzzzzz')
  check('-x', 'unknown option -x')
  check('--all=yes', '--all takes no value')
  check('--sender', '--sender needs a value: --sender A')
  check('--sender --all', '--sender needs a value: --sender A')
  check('--sender a --sender b', '--sender is given twice')
  check('--days ten', '--days needs a whole number, not "ten"')
  check('--format zip', '--format is one of p12, pem, not "zip"')
  check('--toString x', 'unknown option --toString')
})

test('operands are counted', () => {
  assert.equal(operandProblem('none', ['x']), '"x" is one word too many')
  assert.equal(operandProblem('NAME', []), 'NAME is missing')
  assert.equal(operandProblem('NAME', ['a', 'b']), '"b" is one word too many')
  assert.equal(operandProblem('[ID]', []), null)
  assert.equal(operandProblem('[ID]', ['a', 'b']), '"b" is one word too many')
  assert.equal(operandProblem('[ID…]', ['a', 'b']), null)
  assert.equal(operandProblem('FILE…', []), 'FILE is missing')
})
