/** How people ask about a device, whatever the device. `_` stands for a phrase of its manual. */
const NOUN_TEMPLATES = `
what is _ | what is the _ | what are _ | what are the _ | what does _ do | what does the _ do | what is _ used for | what is the use of _ | what is the function of _ | what is the purpose of _ | what is meant by _
where is _ | where is the _ | where are the _ | where can i find _ | where can i find the _ | where do i find _ | where do i find the _ | where to find _ | where can i view _ | where can i view the _ | where can i see the _ | where can i select _ | where can i change the _ | where to connect the _
how do i use _ | how do i use the _ | how to use _ | how to use the _ | how can i use _ | how can i use the _ | how does _ work | how does the _ work | how do _ work
how do i connect _ | how do i connect the _ | how to connect _ | how to connect the _ | how to connect a _ | how can i connect the _ to the _ | can i connect _ | can i connect a _ | can i connect the _ to the _
how do i turn on _ | how do i turn on the _ | how do i turn off _ | how do i turn off the _ | how to turn on _ | how to turn off _ | how to turn _ on and off | how to turn _ on or off | how do i switch on _ | how to switch off the _ | can i turn on _ | can i turn off _ | can i turn off the _
how do i set _ | how do i set the _ | how do i set up _ | how do i set up the _ | how to set _ | how to set the _ | how to set up _ | can i set _ | can i set the _ | how do i reset _ | how do i reset the _ | how to reset the _
how do i change _ | how do i change the _ | how to change _ | how to change the _ | how can i change the _ | can i change _ | can i change the _
how do i select _ | how do i select the _ | how to select _ | can i select _ | can i select the _ | how can i select _
how do i configure _ | how to configure _ | can i configure _ | how do i adjust _ | how do i adjust the _ | how to adjust _ | how to adjust the _ | can i adjust _ | how do i customize _ | how to customize _
how do i enable _ | how do i disable _ | how to enable _ | how to disable _ | can i enable _ | can i disable _ | how do i activate _ | how to activate _ | how to enable or disable _
how do i delete _ | how do i delete the _ | how to delete _ | how to delete the _ | can i delete _ | how do i remove _ | how do i remove the _ | how to remove _ | can i remove _ | how can i delete _
how do i add _ | how do i add a _ | how to add _ | can i add _ | how to add _ to _ | how do i install _ | how to install _ | how to install the _ | can i install _ | how do i update _ | how to update _ | can i update _
how do i check _ | how do i check the _ | how to check _ | how to check the _ | can i check _ | can i check the _ | how do i view _ | how do i view the _ | how to view _ | can i view _ | how can i see the _
how do i clean _ | how do i clean the _ | how to clean the _ | how often should i clean the _ | how do i replace the _ | how to replace the _ | how do i remove the _ | how do i open the _ | how to open the _ | how to close the _ | how do i fill the _ | how do i empty the _
how do i fix _ | how do i fix the _ | how to fix _ | how to fix the _ | how can i fix the _ | how do i solve _ | what can i do if _ | what can i do if the _ | what should i do if _ | what should i do if the _ | what to do if _ | what to do if the _ | what if _ | what if the _ | why is _ | why is the _ | why is my _ | why does the _ | why does my _ | why the _ | why are the _ | why can't i _
can i use _ | can i use the _ | can i use a _ | is _ possible | is _ supported | is _ available | is the _ safe | is it possible to use _ | does it support _ | does it have _ | does the _ have _ | is there a _ | is there any _ | are there _ | do i need _ | do i need a _
how long does the _ take | how long is the _ | how much _ | how many _ | how often should i _ | when should i use _ | when should i replace the _ | which _ | which _ can i use | which _ are supported
explain _ | explain the _ | explain the procedure for _ | please explain _ | please explain the procedure for _ | tell me about _ | i want to know about _ | i want to use _ | i want to change the _ | what are the steps to _ | what are the requirements for _ | what are the requirements for using _ | what are the types of _ | what is the difference between _ and _ | what does _ offer | what is the procedure for _
and what is _ | and how to _ | and how do i _ | and the _ | _ and _ | the _ | my _ | a _ | _ mode | _ option | _ function | _ feature | _ settings | _ screen`;

const VERB_TEMPLATES = `
how do i _ | how to _ | how can i _ | how should i _ | can i _ | should i _ | do i have to _ | do i need to _ | is it possible to _ | what happens if i _ | where do i _ | where can i _ | when should i _ | why should i _ | what are the steps to _ | i want to _ | please explain how to _ | what to do to _ | what do i need to _ | how often should i _ | and how to _ | and how do i _ | is there any way to _`;

const QUESTIONS = `
how do i use it | how does it work | what is it | what does it do | what is the use of it | how do i use this | how can i do this | how to do it | what should i do | what will i do | what can i do | how to fix this | how do i fix it | how does this work | is there any way to do it | what if it does not work | it is not working | why is it not working | how do i turn it on | how do i turn it off | how do i clean it | how often should i clean it | how often | and how often | and how | how do i reset it | where is it | what are they | how to use it | how does that work | what does that mean | what does it mean | is it possible | can i do it | can i do that | tell me more | how long does it take | how much does it hold | what is this | what should i do if it is not working | how do i connect it | how do i install it | how do i open it | what are the options | how to do this | how can i fix it | how do i get it | please help | please explain | is not working | does not work | does not turn on | will not start | is not connected | is not found | is not responding | on and off | or not | at the same time | for the first time`;

/** Words that anyone may say, whatever the manual. */
const WORDS = `
a able about above access account across activate actually add adjust after again all allow almost already also always am an and another any anyone anything anywhere app appear appears apply are around as ask at automatically available away
back bad battery be because become been before begin behind being below best better between big black blank both bottom break broken button buy by
cable call called came can cannot can't cancel car care case cause change charge charging cheap check child children choose clean cleaning clear click close cold color colour come coming complete connect connected connecting connection control correct could cover cut
damage damaged dark date day days delete detect device devices did different difference dirty disable disconnect disconnecting display do does doesn't doing done don't door down download during
each ear easy edge either else empty enable end enough enter error even ever every everything example explain external extra
fail failed far fast feature features few file files fill filter find finish first fit fix flash flashing floor follow for forget found freeze from front full function functions
get gets getting give go going gone good got
had half hand happen happened happens hard has have having hear heat heavy help her here high him his hold home hot hour hours house how however
i icon if image images important in increase inside install installed instead instruct instructions into is isn't issue issues it its
just keep key kind know
language large last late leave left less let level life lift light like line lines list listen little local lock locked long look looking lose lost loud low lower
made main make makes making manual many match may maybe me mean means menu message might minute minutes missing mode model more most move much must my
name near need needed needs never new next night no noise normal not nothing notice now number
of off often oil old on once one only open operate option options or order other our out outside over own
page paper part parts password past pause people perform phone picture place play please plug point possible power press prevent problem problems procedure process product program proper properly protect provide pull purchase push put
question quick quickly quiet
rather reach read ready really reason recharge recommended record recording red reduce refill register registered release remote remove rename repair replace require required requirements reset rest restart right room rotate run running
safe safely safety same save say saying screen search second seconds see select send sensor separate service set setting settings setup several shake she should show shows shut side sign silent simple since size sleep slow slowly small smell so soft software solve some someone something sometimes soon sound speaker speakers special speed stand start starts status stay step steps still stop stopped store storage stuck such support supported sure switch symbol system
table take takes talk tell temperature test than that the their them then there these they thing things think this those three through tight time times to today together too took tool top touch transfer try trying turn turned turning two type types
under unit unplug until up update upgrade use used useful user uses using usually
various very video view voice volume
wait wall want warning warranty was wash water way we weak wear weight well were wet what when where whether which while white who whole why will window wipe wire wireless with within without won't work working works would write wrong
year years yes yet you your`;

const SLOT = '_';

function split(template: string): readonly [before: readonly string[], after: readonly string[]] {
  const words = template.trim().split(/\s+/);
  const slot = words.indexOf(SLOT);
  // A second slot stands open: the phrase after it is another's.
  const after = words.slice(slot + 1);
  const second = after.indexOf(SLOT);
  return [words.slice(0, slot), second < 0 ? after : after.slice(0, second)];
}

const list = (text: string) => text.split(/[|\n]/).filter((entry) => entry.trim() !== '');

export const NOUN_FRAMES = list(NOUN_TEMPLATES).map(split);
export const VERB_FRAMES = list(VERB_TEMPLATES).map(split);
export const PLAIN_QUESTIONS: readonly (readonly string[])[] = list(QUESTIONS).map((question) =>
  question.trim().split(/\s+/),
);
export const COMMON_WORDS: readonly string[] = [...new Set(WORDS.trim().split(/\s+/))];
