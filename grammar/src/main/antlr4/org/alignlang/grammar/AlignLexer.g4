// Tokens of the Align language. Newlines carry almost no meaning: every statement begins with a word,
// and two expressions stand side by side only in constraints and at the end of a function's block.
// There a parenthesis or bracket that begins a line would silently be taken for a call of the value
// above; the compiler therefore gives those that begin a line, outside all other brackets, types of
// their own: they open an expression and never continue one.
lexer grammar AlignLexer;

channels { COMMENTS, DOCUMENTATION }
tokens { LINE_LPAREN, LINE_LBRACKET }

// Four slashes and more are a ruler, not documentation.
DOC_COMMENT  : '///' (~[/\r\n] ~[\r\n]*)? -> channel(DOCUMENTATION) ;
LINE_COMMENT : '//' ~[\r\n]* -> channel(COMMENTS) ;
SPACE        : [ \t\r\n\u00A0\uFEFF]+ -> channel(HIDDEN) ;

IMPORT     : 'import' ;
AS         : 'as' ;
DIVERGENCE : 'divergence' ;
FUN        : 'fun' ;
ESTIMATOR  : 'estimator' ;
OBJECTIVE  : 'objective' ;
EXPERIMENT : 'experiment' ;

POLICY     : 'policy' ;
REFERENCE  : 'reference' ;
TEACHER    : 'teacher' ;
BEHAVIOR   : 'behavior' ;
REWARD     : 'reward' ;
FEATURE    : 'feature' ;
PAIRS      : 'pairs' ;
LABELLED   : 'labelled' ;
LEARN      : 'learn' ;
SAMPLE     : 'sample' ;
RANKED     : 'ranked' ;
PREFERENCE : 'preference' ;
STATE      : 'state' ;
FROM       : 'from' ;
GROUP      : 'group' ;
BY         : 'by' ;
LET        : 'let' ;
TARGET     : 'target' ;
MAXIMIZE   : 'maximize' ;
MINIMIZE   : 'minimize' ;
SUBJECT    : 'subject' ;
TO         : 'to' ;
MULTIPLIER : 'multiplier' ;
ESTIMATE   : 'estimate' ;
WITH       : 'with' ;
METRIC     : 'metric' ;
ACCEPT     : 'accept' ;

FOR         : 'for' ;
SURROGATE   : 'surrogate' ;
EXPECTATION : 'expectation' ;
ENUMERATE   : 'enumerate' ;

RECORD  : 'record' ;
PLOT    : 'plot' ;
AGAINST : 'against' ;
EXPECT  : 'expect' ;
WHERE   : 'where' ;
WITHIN  : 'within' ;
OF      : 'of' ;
CONTROL : 'control' ;

IF    : 'if' ;
THEN  : 'then' ;
ELSE  : 'else' ;
WHEN  : 'when' ;
AND   : 'and' ;
OR    : 'or' ;
NOT   : 'not' ;
TRUE  : 'true' ;
FALSE : 'false' ;
AT    : 'at' ;

NUMBER : [0-9]+ ('.' [0-9]+)? ([eE] [+-]? [0-9]+)? ;
TEXT   : '"' (~["\\\r\n] | '\\' ["\\nt])* '"' ;
NAME   : [\p{L}_] [\p{L}\p{M}\p{Nd}_]* '\''* ;

LESS_EQUAL    : '<=' | '≤' ;
GREATER_EQUAL : '>=' | '≥' ;
EQUAL         : '==' ;
NOT_EQUAL     : '!=' | '≠' ;
LESS          : '<' ;
GREATER       : '>' ;
ASSIGN        : '=' ;
AGAINST_BAR   : '||' | '‖' ;
TILDE         : '~' ;
PLUS          : '+' ;
MINUS         : '-' | '−' ;
TIMES         : '*' | '·' ;
DIVIDE        : '/' ;
POWER         : '^' ;
PERCENT       : '%' ;
LPAREN        : '(' ;
RPAREN        : ')' ;
LBRACKET      : '[' ;
RBRACKET      : ']' ;
LBRACE        : '{' ;
RBRACE        : '}' ;
COMMA         : ',' ;
COLON         : ':' ;
DOT           : '.' ;

BAD_TEXT          : '"' (~["\\\r\n] | '\\' ~[\r\n])* '"' ;
UNTERMINATED_TEXT : '"' (~["\\\r\n] | '\\' ~[\r\n])* '\\'? ;
UNKNOWN           : . ;
