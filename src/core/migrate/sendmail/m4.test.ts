import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { M4 } from './m4.ts'
import { m4Builtins } from './m4-builtins.ts'

function expander(): M4 {
  return new M4(m4Builtins(() => {}))
}

/** What a text becomes, as one line. */
function check(text: string, expected: string): void {
  const m4 = expander()
  const run = m4.run('test.mc', text)
  assert.ok(run.ok, JSON.stringify(run))
  assert.equal(m4.lines.map(({ text }) => text).join('\n'), expected, text)
}

test('names are replaced, and what they become is read again', () => {
  check('define(`A\', `B\')define(`B\', `c\')A', 'c')
  check('define(`CERT_DIR\', `MAIL\'`certs\')define(`MAIL\', `/etc/mail/\')CERT_DIR/ca.pem', 'MAILcerts/ca.pem')
  check('define(`DIR\', `/etc/mail/\')define(`CERT_DIR\', `DIR`\'certs\')CERT_DIR/ca.pem', '/etc/mail/certs/ca.pem')
  check('define(`f\', `<$1-$2-$#>\')f(a, b)f', '<a-b-2><--0>')
  check('define(`f\', `$*|$@\')define(`a\', `X\')f(a, `a\')', 'X,X|X,a')
})

test('quotes hold text together and lose one level each time', () => {
  check('`define\'(`A\')', 'define(A)')
  check('``A\'\'', '`A\'')
  check('define(`A\', ``A\'\')A', 'A')
  check('changequote([, ])define([A], [x`y\'])A', 'x`y\'')
})

test('dnl drops the rest of the line, and comments stand as they are', () => {
  check('a dnl b\nc', 'a c')
  check('define(`A\', `x\')# A `\nA', '# A `\nx')
  check('changecom()define(`A\', `x\')# A', '# x')
})

test('conditions choose one side, and the other is never read', () => {
  check('ifdef(`A\', `yes\', `no\')define(`A\')ifdef(`A\', `yes\', `no\')', 'noyes')
  check('ifelse(a, b, `1\', c, c, `2\', `3\')ifelse(a, b, `1\', `2\')ifelse(a, a, `1\')', '221')
  check('ifelse(eval(8 >= 3), `1\', `new\', `old\')', 'new')
  check('undefine(`A\')define(`A\', `1\')undefine(`A\')A', 'A')
  check('define(`A\', `1\')pushdef(`A\', `2\')A`\'popdef(`A\')A', '21')
})

test('what is diverted to -1 is gone, and other diversions keep their number', () => {
  const m4 = expander()
  m4.run('test.mc', 'divert(-1)\nlost\ndivert(0)dnl\nkept\ndivert(6)\nlocal\n')
  assert.deepEqual(m4.lines.map(({ diversion, text, line }) => [diversion, text, line]), [[0, 'kept', 4], [6, 'local', 6]])
})

test('m4\'s own words are plain text without their arguments', () => check('please define the include', 'please define the include'))

test('text functions do what site files need of them', () => {
  check('translit(`ABC\', `A-Z\', `a-z\')', 'abc')
  check('index(`abc\', `c\')substr(`abcdef\', 2, 3)len(`abc\')incr(4)', '2cde35')
  check('define(`A\', `x\')defn(`A\')shift(a, b, c)', 'xb,c')
})

test('sums are those of C, within 32 bits', () => {
  const sums: readonly (readonly [sum: string, value: string])[] = [
    ['30*1024*1024', '31457280'], ['(1+2)*3-4/2', '7'], ['-7/2', '-3'], ['-7%3', '-1'], ['2**3**2', '512'], ['-2**2', '4'],
    ['8 >= 3', '1'], ['5 > 3 > 1', '0'], ['1 == 1 && 2 != 2 || !0', '1'], ['0x10+010', '24'], ['~5', '-6'], ['1<<4|2', '18'], ['6&3^1', '3'],
    ['2147483647+1', '-2147483648'], ['', '0'],
    ['10/0', ''], ['10%0', ''], ['2**-1', ''], ['1+', ''], ['(1', ''], ['1 2', ''], ['"a"', ''], ['a', ''], ['1;2', ''],
  ]
  for (const [sum, value] of sums) check(`<eval(\`${sum}')>`, `<${value}>`)
  check(`eval(${'('.repeat(40)}1${')'.repeat(40)})<eval(${'-('.repeat(90)}1${')'.repeat(90)})>`, '1<>')
})

/** Text that would never end, and the line that the problem names. */
function refuses(text: string, line: number, message: RegExp): void {
  const run = expander().run('test.mc', text)
  assert.ok(!run.ok)
  assert.match(run.problem.message, message)
  assert.deepEqual([run.problem.file, run.problem.line], ['test.mc', line], run.problem.message)
}

test('what runs away ends with a problem and its line', () => {
  refuses('\ndefine(`A\', `A\')\nA', 3, /expands without end/)
  refuses('define(`A\', `A A\')A', 1, /without end/)
  refuses(`define(\`A', \`${'x'.repeat(1000)} A')A`, 1, /without end/)
  refuses('a\n`never closed', 2, /never closed/)
  refuses('a\nb define(`x\', `y\'', 2, /never closed/)
  refuses(`define(\`f', \`$1')${'f('.repeat(200)}${')'.repeat(200)}`, 1, /deep/)
})

test('a file that includes itself, through another or not, is a problem', () => {
  const include = {
    needsArguments: true,
    run: (m4: M4, { args: [name = ''] }: { readonly args: readonly string[] }) => {
      m4.include(name, name === 'a.m4' ? 'include(`b.m4\')' : 'include(`a.m4\')')
      return ''
    },
  }
  const m4 = new M4(new Map([...m4Builtins(() => {}), ['include', include]]))
  const run = m4.run('test.mc', 'include(`a.m4\')')
  assert.equal(run.ok ? '' : run.problem.message, 'a.m4 includes itself')
})

test('any text comes to an end', () => {
  const words = ['define(', 'A', 'B', '`', '\'', ')', ', ', '(', 'dnl', '\n', '$1', '$@', 'ifelse(', 'ifdef(', 'shift(', 'divert(-1)', 'changequote(', 'x', '#']
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), parts => {
      const run = expander().run('test.mc', parts.join(''))
      assert.ok(run.ok || run.problem.message !== '')
    }),
    { numRuns: 300 },
  )
})
