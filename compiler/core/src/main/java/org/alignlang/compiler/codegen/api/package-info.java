/** The typed classes through which Java and Kotlin programs call objectives. */
@NullMarked
package org.alignlang.compiler.codegen.api;

import org.jspecify.annotations.NullMarked;
