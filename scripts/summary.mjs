// Adds up jest reports and prints `N passed, N failed`:  node scripts/summary.mjs report.json…
//
// Exit 1 on a failure, on a test that was left out, and when nothing was tested.
import { existsSync, readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;

for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) continue;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed += report.numPassedTests;
  // A file that could not be run has no tests to count, and is a failure all the same.
  failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
  for (const { name, assertionResults } of report.testResults) {
    for (const { status, fullName } of assertionResults) {
      if (status === 'passed' || status === 'failed') continue;
      console.log(`left out (${status}): ${name}: ${fullName}`);
      failed += 1;
    }
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
