/** From text to syntax tree: the only package that sees ANTLR. */
@NullMarked
package org.alignlang.compiler.syntax;

import org.jspecify.annotations.NullMarked;
