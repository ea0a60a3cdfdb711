#!/bin/sh
# The same without a build tool. Needs `align` (or ALIGN), the jars of align-kernel and jspecify in
# CLASSPATH, and a JDK 25.
set -eu
cd "$(dirname "$0")"
"${ALIGN:-align}" generate --tree src/main/align --out build/generated/sources/align --state build/align-state
mkdir -p build/classes
"${JAVA_HOME:+$JAVA_HOME/bin/}javac" -d build/classes $(find src/main/java build/generated/sources/align -name '*.java')
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "build/classes:$CLASSPATH" com.example.TrainPreferences
