/** From graph to loop nests: when every value is computed, and which values are kept in memory. */
@NullMarked
package org.alignlang.compiler.plan;

import org.jspecify.annotations.NullMarked;
