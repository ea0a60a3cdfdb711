/** The syntax tree: sealed families of records, each with its span. */
@NullMarked
package org.alignlang.compiler.ast;

import org.jspecify.annotations.NullMarked;
