/** Charts, tables and the report of a run. */
@NullMarked
package org.alignlang.runtime.report;

import org.jspecify.annotations.NullMarked;
