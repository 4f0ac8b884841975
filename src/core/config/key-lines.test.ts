import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyLines } from './key-lines.ts'

const TOML = `# comment with [brackets] and = signs
a = 1
"b c".d = "x # not a comment" # a comment
e.f = """
not = a key
[nor.a.header]
"""
list = [
  "one", # first
  [ 2,
    3 ],
  { k = 'v', l = 2026-01-01T00:00:00Z },
]
[table]
x = '''
multi \\'''
y = { z = "}", w = [ 1 ] }

  [[row]]
name = "first"
[row.inner]
deep = true
[[row]]
name = "second"
`

test('each key is found on its line', () => {
  const lineOf = keyLines(TOML)
  const lines: [path: (string | number)[], line: number | null][] = [
    [['a'], 2],
    [['b c', 'd'], 3],
    [['e', 'f'], 4],
    [['list'], 8],
    [['list', 0], 9],
    [['list', 1, 1], 11],
    [['list', 2, 'l'], 12],
    [['table'], 14],
    [['table', 'x'], 15],
    [['table', 'y', 'w', 0], 17],
    [['row', 0], 19],
    [['row', 0, 'inner', 'deep'], 22],
    [['row', 1], 23],
    [['row', 1, 'name'], 24],
  ]
  for (const [path, line] of lines) assert.equal(lineOf(path), line, path.join('.'))
})

test('a key that is not there has the line of the table around it', () => {
  const lineOf = keyLines(TOML)
  assert.equal(lineOf(['row', 1, 'missing']), 23)
  assert.equal(lineOf(['nowhere']), null)
})
